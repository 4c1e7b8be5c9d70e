"""The checks of `homeroom doctor`, a module for each subject."""
