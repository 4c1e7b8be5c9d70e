// Calls every action with the types that openapi-typescript generated from the client profile.
// The facts are the one argument, as JSON; a JSON list of [action, errno] goes to the console.

import type { paths } from "./schema";

declare const process: { argv: string[] };

type Facts = {
  url: string;
  SID: number;
  safeKey: string;
  timeStamp: number;
  begin: number;
};

const URLENCODED = "application/x-www-form-urlencoded";
const MULTIPART = "multipart/form-data";

/** The paths whose operation takes a body of one content type. */
type PathsWith<Type extends string> = {
  [Path in keyof paths]: paths[Path] extends {
    post: { requestBody: { content: Record<Type, unknown> } };
  }
    ? Path
    : never;
}[keyof paths];

type Body<Path extends keyof paths, Type extends string> = paths[Path] extends {
  post: { requestBody: { content: { [Key in Type]: infer Form } } };
}
  ? Omit<Form, "SID" | "safeKey" | "timeStamp">
  : never;

type Result<Path extends keyof paths> = paths[Path] extends {
  post: { responses: { 200: { content: { "application/json": infer Response } } } };
}
  ? Response
  : never;

const facts: Facts = JSON.parse(process.argv[2] ?? "");
const steps: [string, number][] = [];

async function send<Path extends keyof paths>(
  path: Path,
  form: FormData | URLSearchParams,
  fields: object,
): Promise<Result<Path>> {
  const { SID, safeKey, timeStamp } = facts;
  for (const [name, field] of Object.entries({ SID, safeKey, timeStamp, ...fields })) {
    // The types know a file as a text.
    if (name === "Filedata" && form instanceof FormData) {
      form.append(name, new Blob([String(field)]), "计划.txt");
    } else {
      form.append(name, String(field));
    }
  }
  const response = await fetch(facts.url + path, { method: "POST", body: form });
  const result = await response.json();
  steps.push([path.replace(/.*[/]/, ""), result.error_info.errno]);
  return result;
}

function call<Path extends PathsWith<typeof URLENCODED>>(
  path: Path,
  fields: Body<Path, typeof URLENCODED>,
): Promise<Result<Path>> {
  return send(path, new URLSearchParams(), fields);
}

function callMultipart<Path extends PathsWith<typeof MULTIPART>>(
  path: Path,
  fields: Body<Path, typeof MULTIPART>,
): Promise<Result<Path>> {
  return send(path, new FormData(), fields);
}

/** Return a field of a result, which is there when the call is done. */
function value<Field>(field: Field | undefined): Field {
  if (field === undefined) throw new TypeError("the field is not there");
  return field;
}

const COURSE = "/partner/api/course.api.php";
const CLOUD = "/partner/api/cloud.api.php";

async function register(telephone: string, addToSchoolMember: 0 | 1 | 2): Promise<number> {
  const fields = { telephone, password: "secret-1", nickname: "王 老师+&", addToSchoolMember };
  return value((await callMultipart(`${COURSE}/register`, fields)).data);
}

async function school(): Promise<void> {
  const top = await call(`${CLOUD}/getTopFolderId`, {});
  const folder = await call(`${CLOUD}/createFolder`, {
    folderId: Number(value(top.data)),
    folderName: "typescript",
  });
  const folderId = Number(value(folder.data));
  await callMultipart(`${CLOUD}/uploadFile`, { folderId, Filedata: "content" });
  const listed = await call(`${CLOUD}/getCloudList`, { folderId });
  if (value(listed.file_list)[0]?.file_size !== "1KB") throw new TypeError("no file is listed");

  const teacherUid = await register("17900000001", 0);
  const spare = await register("17900000002", 2);
  const studentUid = await register("17900000003", 0);
  await callMultipart(`${COURSE}/addTeacher`, { teacherUid, teacherName: "王老师" });
  await call(`${COURSE}/stopUsingTeacher`, { teacherUid: spare });
  await call(`${COURSE}/restartUsingTeacher`, { teacherUid: spare });
  await call(`${COURSE}/addSchoolStudent`, { studentUid, studentName: "小李" });
  const accounts = ["17900000011", "17900000012"].map((telephone) => ({
    telephone,
    password: "secret-2",
    addToSchoolMember: 1,
  }));
  const registered = await callMultipart(`${COURSE}/registerMultiple`, {
    userJson: JSON.stringify(accounts),
  });
  const others: number[] = value(registered.data).map((entry) => value(entry.data));

  const course = await callMultipart(`${COURSE}/addCourse`, { courseName: "代数" });
  const courseId: number = value(course.data);
  await callMultipart(`${COURSE}/editCourse`, { courseId, courseName: "几何", folderId });
  const another = await callMultipart(`${COURSE}/addCourse`, { courseName: "Another" });
  await call(`${COURSE}/endCourse`, { courseId: value(another.data) });

  await call(`${COURSE}/addCourseStudent`, {
    courseId,
    identity: 1,
    studentUid,
    studentName: "小李",
  });
  await call(`${COURSE}/addCourseStudentMultiple`, {
    courseId,
    identity: 2,
    studentJson: JSON.stringify(others.map((uid) => ({ uid }))),
  });
  await call(`${COURSE}/delCourseStudentMultiple`, {
    courseId,
    identity: 2,
    studentUidJson: JSON.stringify(others),
  });

  const label = await call(`${COURSE}/addSchoolLabel`, { labelName: "typescript" });
  const labelId = Number(value(label.data).labelId);
  await call(`${COURSE}/updateSchoolLabel`, { labelId, labelName: "renamed" });
  await call(`${COURSE}/addCourseLabels`, {
    CourseList: JSON.stringify([{ courseId, labelIds: [labelId] }]),
  });
  await call(`${COURSE}/deleteSchoolLabel`, { labelId });

  const times = { beginTime: facts.begin, endTime: facts.begin + 1800 };
  const added = await call(`${COURSE}/addCourseClass`, {
    courseId,
    className: "typescript",
    teacherUid,
    record: 1,
    ...times,
  });
  const classId: number = value(added.data);
  const address: string = value(added.more_data).live_info.HLS;
  if (typeof address !== "string") throw new TypeError("HLS");
  await call(`${COURSE}/editCourseClass`, { courseId, classId, className: "renamed" });
  await call(`${COURSE}/getWebcastUrl`, { courseId, classId });
  await call(`${COURSE}/setClassVideoMultiple`, {
    courseId,
    classJson: JSON.stringify([{ classId, record: 1, live: 0, replay: 1 }]),
  });
  await call(`${COURSE}/updateClassLockStatus`, { classId, isLock: 0 });
  await call(`${COURSE}/deleteClassVideo`, { classId });
  await call(`${COURSE}/delCourseClass`, { courseId, classId });
}

await school();
console.log(JSON.stringify(steps));
