import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

/** Posts forms with one client of the JDK as it is by default: it offers HTTP/2 in each request. */
class HttpClientDefaults {
    public static void main(String[] arguments) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        for (int place = 1; place < arguments.length; place++) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(arguments[0]))
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(HttpRequest.BodyPublishers.ofString(arguments[place]))
                .build();
            System.out.println(client.send(request, BodyHandlers.ofString()).body());
        }
    }
}
