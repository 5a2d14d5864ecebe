package ai.luciferai.llama.convert;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Inputs made to take time or memory, or to lead elsewhere, and what is said of each. */
enum HostileInput {

    // --- pickles ---

    /** A list of two lists of two lists …: its hash takes 2^60 steps. */
    PICKLE_HASH_BOMB("mixtral-bin", "a text as key") {
        @Override
        void write(Path folder) throws IOException {
            var ops = new StringBuilder("\u0080\u0002]q\0" + "0");
            for (char i = 0; i < 60; i++) {
                ops.append("](h").append(i).append('h').append(i).append("eq").append((char) (i + 1)).append('0');
            }
            pickle(folder, PickleMutant.ascii(ops + "}h" + (char) 60 + "Ns."));
        }
    },
    PICKLE_KEY_INSIDE_ITSELF("mixtral-bin", "a text as key") {
        @Override
        void write(Path folder) throws IOException {
            pickle(folder, PickleMutant.ascii("\u0080\u0002}]q\0h\0aNs."));
        }
    },
    PICKLE_IN_ITSELF("mixtral-bin", "no tensor in it") {
        @Override
        void write(Path folder) throws IOException {
            pickle(folder, PickleMutant.ascii("\u0080\u0002}q\0X\u0005\0\0\0modelh\0s."));
        }
    },
    PICKLE_OF_NUMBERS_TOO_LONG("mixtral-bin", "opcode") {
        @Override
        void write(Path folder) throws IOException {
            byte[] number = new byte[1 << 22];
            java.util.Arrays.fill(number, (byte) 0x55);
            pickle(folder, PickleMutant.join(List.of(PickleMutant.ascii("\u0080\u0002\u008b\0\0\u0040\0"), number, PickleMutant.ascii("."))));
        }
    },
    PICKLE_OF_ENDLESS_DICTIONARIES("mixtral-bin", "at most") {
        @Override
        void write(Path folder) throws IOException {
            byte[] ops = new byte[30 << 20];
            java.util.Arrays.fill(ops, (byte) '}');
            pickle(folder, ops);
        }
    },
    /** Two numbers, which a stride of zero makes 2^40 of. */
    PICKLE_OF_A_TENSOR_BEYOND_ITS_STORAGE("mixtral-bin", "elements") {
        @Override
        void write(Path folder) throws IOException {
            byte[] million = PickleMutant.number(1 << 20);
            byte[] zero = PickleMutant.number(0);
            pickle(folder, PickleMutant.join(List.of(PickleMutant.ascii("\u0080\u0002}"), PickleMutant.text("model.norm.weight"),
                    PickleMutant.ascii("ctorch._utils\n_rebuild_tensor_v2\n(("), PickleMutant.text("storage"), PickleMutant.ascii("ctorch\nFloatStorage\n"),
                    PickleMutant.text("0"), PickleMutant.text("cpu"), PickleMutant.number(2), PickleMutant.ascii("tQ"), zero, million, million,
                    PickleMutant.ascii("\u0086"), zero, zero, PickleMutant.ascii("\u0086\u0089NtRs."))));
        }
    },
    ZIP_WITH_A_BYTE_ORDER_OF_GIGABYTES("mixtral-bin", "byteorder") {
        @Override
        void write(Path folder) throws IOException {
            int size = 0x7FFFFFF0;
            Path file = folder.resolve("pytorch_model.bin");
            byte[] name = "m/byteorder".getBytes(StandardCharsets.UTF_8);
            byte[] pickle = "m/data.pkl".getBytes(StandardCharsets.UTF_8);
            var head = new NumberedBytes().fixed(0x04034b50, 4).raw(new byte[22]).fixed(name.length, 2).fixed(0, 2).raw(name);
            var tail = new NumberedBytes();
            for (byte[] entry : List.of(name, pickle)) {
                tail.fixed(0x02014b50, 4).raw(new byte[16]).fixed(size, 4).fixed(size, 4).fixed(entry.length, 2).raw(new byte[12]).fixed(0, 4).raw(entry);
            }
            tail.fixed(0x06054b50, 4).fixed(0, 4).fixed(2, 2).fixed(2, 2).fixed(tail.size() - 12, 4).fixed(head.size() + (long) size, 4).fixed(0, 2);
            Files.write(file, head.bytes());
            appendSparse(file, head.size() + (long) size, tail.bytes());
        }
    },

    // --- sizes ---

    SENTENCEPIECE_OF_GIGABYTES("llama-shards", "tokenizer.model: size") {
        @Override
        void write(Path folder) throws IOException {
            appendSparse(folder.resolve("tokenizer.model"), 3L << 30, new byte[1]);
        }
    },
    MODEL_CARD_OF_GIGABYTES("llama-shards", null) {
        @Override
        void write(Path folder) throws IOException {
            appendSparse(folder.resolve("README.md"), 3L << 30, new byte[1]);
        }
    },
    CHAT_TEMPLATE_OF_GIGABYTES("llama-shards", "chat_template.jinja: size") {
        @Override
        void write(Path folder) throws IOException {
            Files.writeString(folder.resolve("tokenizer_config.json"), "{}");
            appendSparse(folder.resolve("chat_template.jinja"), 3L << 30, new byte[1]);
        }
    },
    TIKTOKEN_OF_GIGABYTES("tokenizers/qwen1", "qwen.tiktoken: size") {
        @Override
        void write(Path folder) throws IOException {
            for (String name : List.of("config.json", "model.safetensors")) {
                Files.write(folder.resolve(name), Files.readAllBytes(Fixtures.FOLDER.resolve("qwen2-bpe").resolve(name)));
            }
            appendSparse(folder.resolve("qwen.tiktoken"), 3L << 30, new byte[1]);
        }
    },
    CONFIGURATION_OF_GIGABYTES("llama-shards", "config.json: size") {
        @Override
        void write(Path folder) throws IOException {
            appendSparse(folder.resolve("config.json"), 3L << 30, new byte[1]);
        }
    },
    CONFIGURATION_OF_ENDLESS_LISTS("llama-shards", "config.json: size") {
        @Override
        void write(Path folder) throws IOException {
            Files.writeString(folder.resolve("config.json"), "{\"a\":[" + "[],".repeat(12_000_000) + "0]}");
        }
    },
    HEADER_OF_ENDLESS_LISTS("gemma2", "model.safetensors: size") {
        @Override
        void write(Path folder) throws IOException {
            byte[] text = ("{\"a\":[" + "[],".repeat(12_000_000) + "0]}").getBytes(StandardCharsets.US_ASCII);
            Files.write(folder.resolve("model.safetensors"), ByteBuffer.allocate(8 + text.length).order(ByteOrder.LITTLE_ENDIAN).putLong(text.length).put(text).array());
        }
    },
    LAYERS_BEYOND_COUNT("llama-shards", "number of layers") {
        @Override
        void write(Path folder) throws IOException {
            replace(folder.resolve("config.json"), "\"num_hidden_layers\": *\\d+", "\"num_hidden_layers\": 1099511627776");
        }
    },

    // --- YAML ---

    MODEL_CARD_OF_A_BILLION_LAUGHS("llama-shards", null) {
        @Override
        void write(Path folder) throws IOException {
            var card = new StringBuilder("---\na0: &a0 [x, x, x]\n");
            for (int i = 1; i < 17; i++) {
                card.append("a%d: &a%d [*a%d, *a%d, *a%d]\n".formatted(i, i, i - 1, i - 1, i - 1));
            }
            Files.writeString(folder.resolve("README.md"), card + "---\n");
        }
    },
    MODEL_CARD_IN_ITSELF("llama-shards", null) {
        @Override
        void write(Path folder) throws IOException {
            Files.writeString(folder.resolve("README.md"), "---\ntags: &a [x, *a]\nlanguage: &b {c: *b}\n---\n");
        }
    },

    // --- paths ---

    INDEX_OUT_OF_THE_FOLDER("llama-shards", "names of files in this folder") {
        @Override
        void write(Path folder) throws IOException {
            Path shard = folder.resolve("model-00001-of-00002.safetensors");
            Files.move(shard, folder.resolveSibling("outside.safetensors"), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
            replace(folder.resolve("model.safetensors.index.json"), "model-00001-of-00002", "../outside");
        }
    },
    INDEX_OF_AN_ABSOLUTE_PATH("llama-shards", "names of files in this folder") {
        @Override
        void write(Path folder) throws IOException {
            replace(folder.resolve("model.safetensors.index.json"), "model-00001-of-00002", folder.toAbsolutePath() + "/model-00001-of-00002");
        }
    },
    INDEX_OF_A_MISSING_SHARD("llama-shards", "model-00002-of-00002.safetensors") {
        @Override
        void write(Path folder) throws IOException {
            Files.delete(folder.resolve("model-00002-of-00002.safetensors"));
        }
    },
    /** As Hugging Face's cache has all its files. */
    SHARD_THAT_IS_A_LINK("llama-shards", null) {
        @Override
        void write(Path folder) throws IOException {
            Path shard = folder.resolve("model-00001-of-00002.safetensors");
            Path blob = folder.resolveSibling("blob");
            Files.move(shard, blob, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
            Files.createSymbolicLink(shard, blob);
        }
    },
    SHARD_THAT_IS_A_FOLDER("llama-shards", "files that are in the folder") {
        @Override
        void write(Path folder) throws IOException {
            Path shard = folder.resolve("model-00001-of-00002.safetensors");
            Files.delete(shard);
            Files.createDirectory(shard);
        }
    },
    TENSOR_IN_TWO_SHARDS("llama-shards", null) {
        @Override
        void write(Path folder) throws IOException {
            Files.copy(folder.resolve("model-00001-of-00002.safetensors"), folder.resolve("model-00003.safetensors"));
            Files.delete(folder.resolve("model.safetensors.index.json"));
        }
    },

    // --- tokenizers ---

    REGEX_THAT_NEVER_ENDS("llama3-bpe", "takes too many steps") {
        @Override
        void write(Path folder) throws IOException {
            tokenizer(folder, "pre_tokenizer", Map.of("type", "Split", "pattern", Map.of("Regex", "((a|b|\\W|\\w)+)+\\u0001"), "behavior", "Isolated"));
        }
    },
    NORMALIZER_REGEX_THAT_NEVER_ENDS("llama3-bpe", "takes too many steps") {
        @Override
        void write(Path folder) throws IOException {
            tokenizer(folder, "normalizer", Map.of("type", "Replace", "pattern", Map.of("Regex", "((a|b|\\W|\\w)+)+\\u0001"), "content", ""));
        }
    },
    REGEX_TOO_DEEP("llama3-bpe", "pre-tokenizer") {
        @Override
        void write(Path folder) throws IOException {
            String deep = "(".repeat(20_000) + "a" + ")".repeat(20_000);
            tokenizer(folder, "pre_tokenizer", Map.of("type", "Split", "pattern", Map.of("Regex", deep), "behavior", "Isolated"));
        }
    },
    NORMALIZER_THAT_DOUBLES("llama3-bpe", "longer than") {
        @Override
        void write(Path folder) throws IOException {
            tokenizer(folder, "normalizer", Map.of("type", "Sequence", "normalizers",
                    java.util.Collections.nCopies(60, Map.of("type", "Replace", "pattern", Map.of("String", "e"), "content", "ee"))));
        }
    },
    NORMALIZER_THAT_PREPENDS_MUCH("llama3-bpe", "longer than") {
        @Override
        void write(Path folder) throws IOException {
            tokenizer(folder, "normalizer", Map.of("type", "Sequence", "normalizers",
                    java.util.Collections.nCopies(2000, Map.of("type", "Prepend", "prepend", "x".repeat(1000)))));
        }
    },
    DECODER_THAT_DOUBLES("llama3-bpe", "decoder") {
        @Override
        void write(Path folder) throws IOException {
            replace(folder.resolve("config.json"), "\"vocab_size\": *\\d+", "\"vocab_size\": 400");
            tokenizer(folder, "decoder", Map.of("type", "Sequence", "decoders",
                    java.util.Collections.nCopies(60, Map.of("type", "Replace", "pattern", Map.of("String", "|"), "content", "||"))));
        }
    },
    ONE_WORD_OF_ALL_TEXT("llama3-bpe", "pre-tokenizer") {
        @Override
        void write(Path folder) throws IOException {
            tokenizer(folder, "pre_tokenizer", null);
        }
    };

    private final String fixture;
    private final String message;

    HostileInput(String fixture, String message) {
        this.fixture = fixture;
        this.message = message;
    }

    /** The sound checkpoint that becomes hostile. */
    String fixture() {
        return fixture;
    }

    /** A part of the error, or null where the conversion goes well all the same. */
    String message() {
        return message;
    }

    /** Makes a copy of the fixture hostile. */
    abstract void write(Path folder) throws IOException;

    private static void pickle(Path folder, byte[] ops) throws IOException {
        var entries = new LinkedHashMap<String, byte[]>();
        entries.put("m/data.pkl", ops);
        entries.put("m/data/0", new byte[8]);
        Files.write(folder.resolve("pytorch_model.bin"), ZipMutant.write(entries));
    }

    private static void appendSparse(Path file, long size, byte[] tail) throws IOException {
        try (var access = new RandomAccessFile(file.toFile(), "rw")) {
            access.setLength(size);
            access.seek(size);
            access.write(tail);
        }
    }

    private static void replace(Path file, String regex, String by) throws IOException {
        Files.writeString(file, Files.readString(file).replaceAll(regex, by));
    }

    private static void tokenizer(Path folder, String part, Object value) throws IOException {
        var json = new com.fasterxml.jackson.databind.json.JsonMapper();
        Path file = folder.resolve("tokenizer.json");
        @SuppressWarnings("unchecked") // Jackson's own maps
        Map<String, Object> root = json.readValue(file.toFile(), LinkedHashMap.class);
        root.put(part, value);
        var added = new ArrayList<Object>((List<?>) root.getOrDefault("added_tokens", List.of()));
        added.add(Map.of("id", 1000, "content", "||new||", "special", true, "normalized", false));
        root.put("added_tokens", added);
        var out = new ByteArrayOutputStream();
        json.writeValue(out, root);
        Files.write(file, out.toByteArray());
    }
}
