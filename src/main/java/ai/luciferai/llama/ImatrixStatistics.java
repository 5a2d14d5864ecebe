package ai.luciferai.llama;

import ai.luciferai.llama.gguf.ImportanceMatrix;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an importance matrix says about a model's weights. Activations are the mean squares of a weight's inputs, column by column.
 *
 * <p><i>Source</i>: compute_statistics, compute_cossim and show_statistics of llama.cpp v0.5.0, tools/imatrix/imatrix.cpp, in floats as there.
 *
 * @param weights by kind, those with the largest sums first
 * @param layers  averages over the weights of each block, weighted by their size
 */
public record ImatrixStatistics(List<Weight> weights, SortedMap<Integer, Layer> layers) {

    private static final Pattern BLOCK = Pattern.compile("blk\\.(\\d+)\\.");
    private static final float INACTIVE = 1e-5f;

    /**
     * One weight.
     *
     * @param layer            number of its block, "-" outside
     * @param kind             name without block: "attn_q"
     * @param sum              of the activations
     * @param deviation        standard deviation
     * @param active           share of columns above 0.00001
     * @param columns          number of activations
     * @param entropy          of their distribution, in bits
     * @param outliers         share of columns more than one standard deviation above the mean
     * @param cosineSimilarity to the same weight of the block before; 0 for the first
     */
    public record Weight(String name, String layer, String kind, float sum, float min, float max, float mean, float deviation,
            float active, int columns, float entropy, float outliers, float cosineSimilarity) {

        /** Entropy as a share of the largest possible. */
        public float normalizedEntropy() {
            return columns > 0 ? (float) (entropy / (Math.log(columns) / Math.log(2))) : 0;
        }
    }

    /** Averages over a block. */
    public record Layer(float sum, float outliers, float cosineSimilarity) {}

    public ImatrixStatistics {
        weights = List.copyOf(weights);
        layers = new TreeMap<>(layers);
    }

    static ImatrixStatistics of(ImportanceMatrix matrix) {
        var weights = new ArrayList<Weight>();
        matrix.entries().forEach((name, entry) -> {
            float[] activations = activations(entry);
            if (activations.length > 0) {
                weights.add(weight(name, activations, similarity(name, entry, matrix)));
            }
        });
        weights.sort(Comparator.comparing(Weight::kind).thenComparing(Comparator.comparing(Weight::sum).reversed()));
        return new ImatrixStatistics(weights, layers(weights));
    }

    /** Without experts that nothing has reached. */
    private static float[] activations(ImportanceMatrix.Entry entry) {
        int columns = entry.sums().length / entry.counts().length;
        var values = new float[(entry.counts().length - entry.unused()) * columns];
        int n = 0;
        for (int i = 0; i < entry.sums().length; i++) {
            long count = entry.counts()[i / columns];
            if (count > 0) {
                values[n++] = entry.sums()[i] / count;
            }
        }
        return values;
    }

    private static Weight weight(String name, float[] values, float similarity) {
        float sum = 0;
        float squares = 0;
        float min = values[0];
        float max = values[0];
        int inactive = 0;
        for (float value : values) {
            sum += value;
            squares += value * value;
            min = Math.min(min, value);
            max = Math.max(max, value);
            inactive += Math.abs(value) <= INACTIVE ? 1 : 0;
        }
        float mean = sum / values.length;
        float deviation = (float) Math.sqrt(Math.max(0f, squares / values.length - mean * mean));
        float active = 1 - (float) inactive / values.length;
        String[] place = place(name);
        return new Weight(name, place[0], place[1], sum, min, max, mean, deviation, active, values.length, entropy(values, sum),
                outliers(values, mean, deviation), similarity);
    }

    private static float entropy(float[] values, float sum) {
        float entropy = 0;
        for (float value : values) {
            float p = value / sum;
            if (sum > 0 && p > 0) {
                entropy -= p * (float) (Math.log(p) / Math.log(2));
            }
        }
        return entropy;
    }

    private static float outliers(float[] values, float mean, float deviation) {
        int above = 0;
        for (float value : values) {
            above += deviation > 0 && (value - mean) / deviation > 1 ? 1 : 0;
        }
        return (float) above / values.length;
    }

    private static float similarity(String name, ImportanceMatrix.Entry entry, ImportanceMatrix matrix) {
        Matcher block = BLOCK.matcher(name);
        if (!block.find()) {
            return 0;
        }
        ImportanceMatrix.Entry before = matrix.entries()
                .get(name.substring(0, block.start(1)) + (Long.parseLong(block.group(1)) - 1) + name.substring(block.end(1)));
        if (before == null || before.sums().length != entry.sums().length) {
            return 0;
        }
        return product(entry.sums(), before.sums())
                / ((float) Math.sqrt(product(entry.sums(), entry.sums())) * (float) Math.sqrt(product(before.sums(), before.sums())));
    }

    private static float product(float[] a, float[] b) {
        float product = 0;
        for (int i = 0; i < a.length; i++) {
            product += a[i] * b[i];
        }
        return product;
    }

    /** Block and kind: what stands behind "blk", and before "weight". */
    private static String[] place(String name) {
        List<String> parts = List.of(name.split("\\."));
        int block = parts.indexOf("blk");
        int weight = parts.indexOf("weight");
        return new String[] {block >= 0 && block + 1 < parts.size() ? parts.get(block + 1) : "-",
                weight > 0 ? parts.get(weight - 1) : name};
    }

    private static SortedMap<Integer, Layer> layers(List<Weight> weights) {
        Map<Integer, float[]> sums = new LinkedHashMap<>();
        for (Weight weight : weights) {
            if (weight.layer().matches("\\d{1,9}")) {
                float[] sum = sums.computeIfAbsent(Integer.valueOf(weight.layer()), layer -> new float[4]);
                sum[0] += weight.columns() * weight.sum();
                sum[1] += weight.columns() * weight.outliers();
                sum[2] += weight.columns() * weight.cosineSimilarity();
                sum[3] += weight.columns();
            }
        }
        var layers = new TreeMap<Integer, Layer>();
        sums.forEach((layer, sum) -> layers.put(layer, new Layer(sum[0] / sum[3], sum[1] / sum[3], sum[2] / sum[3])));
        return layers;
    }
}
