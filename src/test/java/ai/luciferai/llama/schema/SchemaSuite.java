package ai.luciferai.llama.schema;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The public test suite of JSON schema, where it lies beside the checkout, and a validator that we did not write. */
public final class SchemaSuite {

    public static final Path FOLDER = Path.of("..", "shared", "json-schema-test-suite", "tests", "draft2020-12");
    static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS,
            DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    /** A schema of the suite with its examples. */
    public record Group(String name, JsonNode schema, JsonNode tests) {}

    private SchemaSuite() {}

    /** Worktrees lie one folder deeper. */
    public static Path folder() {
        return Stream.of(FOLDER, Path.of("..").resolve(FOLDER)).filter(Files::isDirectory).findFirst().orElse(null);
    }

    static List<Group> groups() {
        List<Group> groups = new ArrayList<>();
        try (Stream<Path> files = Files.walk(folder())) {
            for (Path file : files.filter(f -> f.toString().endsWith(".json")).sorted().toList()) {
                for (JsonNode group : JSON.readTree(file.toFile())) {
                    groups.add(new Group(folder().relativize(file) + ": " + group.path("description").asText(), group.path("schema"),
                            group.path("tests")));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return groups;
    }

    /** Schemas of the suite for which the validator judges the suite's own examples right. */
    public static List<Group> judged() {
        return groups().stream().filter(SchemaSuite::isJudged).toList();
    }

    static boolean isJudged(Group group) {
        if (group.schema().path("minContains").asInt() > group.schema().path("maxContains").asInt(1 << 20)) {
            return false; // the validator takes it for a fault of the schema
        }
        try {
            var validator = validator(group.schema());
            for (JsonNode test : group.tests()) {
                if (validator.validate(test.path("data")).isEmpty() != test.path("valid").asBoolean()) {
                    return false;
                }
            }
            return true;
        } catch (RuntimeException e) {
            return false; // it would have to fetch something
        }
    }

    /** What the validator finds in a text that was generated. */
    public static List<String> faults(JsonNode schema, String text) {
        return validator(schema).validate(parse(text)).stream().map(Object::toString).toList();
    }

    /** A validator of draft 2020-12. */
    static com.networknt.schema.JsonSchema validator(JsonNode schema) {
        JsonSchemaFactory factory = JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012);
        return factory.getSchema(schema, SchemaValidatorsConfig.builder().formatAssertionsEnabled(false).build());
    }

    public static JsonNode parse(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new AssertionError("no JSON: " + text, e);
        }
    }
}
