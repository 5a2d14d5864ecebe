package ai.luciferai.llama.train;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidOptionException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;

/**
 * Which samples each optimizer step sees. A function of what it is made with alone, so that a resumed training goes on exactly as it
 * would have.
 *
 * <p><i>Threads</i>: one at a time, for it remembers the epoch that was asked for last.
 */
public final class TrainingPlan {

    private final List<Sample> samples;
    private final int epochs;
    private final int samplesPerStep;
    private final int capacity;
    private final boolean packing;
    private final long seed;
    private final int devices;

    /** Most rows of a pack are a multiple of this. */
    public static final int ROUNDING = 16;

    /** What a pack costs beyond its rows, in rows: the weights are read and put in order for each. */
    private static final int PACK_COST = 24;

    /** Samples that are packed to find the largest micro-batch: some seconds' worth. */
    private static final long MOST_TRIED = 10_000_000;

    /** By how much a larger size has to be cheaper: it also takes more memory. */
    private static final double WORTH = 1.05;

    private int epoch = -1;
    private List<List<Pack>> steps = List.of();

    /**
     * @param samples        all samples to train on
     * @param epochs         passes over them
     * @param samplesPerStep samples of one step; the last step of an epoch may have fewer
     * @param capacity       most rows of a pack
     * @param packing        whether samples share packs
     * @param seed           of the order, which is another in each epoch
     * @param devices        that share the packs of a step, see {@link #shares}
     */
    public TrainingPlan(List<Sample> samples, int epochs, long samplesPerStep, int capacity, boolean packing, long seed, int devices) {
        this.samples = List.copyOf(samples);
        this.epochs = epochs;
        this.samplesPerStep = (int) Math.min(samplesPerStep, Math.max(1, samples.size()));
        this.packing = packing;
        this.seed = seed;
        this.devices = devices;
        if ((long) stepsPerEpoch() * epochs > Integer.MAX_VALUE) {
            throw new InvalidOptionException("epochs", "no more than make 2147483647 steps of " + stepsPerEpoch() + " an epoch", String.valueOf(epochs));
        }
        this.capacity = packing ? cheapest(capacity) : capacity;
    }

    /** The smallest size of packs, at most {@code most}, with which an epoch costs little more than with any larger one. */
    private int cheapest(int most) {
        int longest = samples.stream().mapToInt(Pack::rows).max().orElse(1);
        var costs = new TreeMap<Integer, Long>();
        for (long size = roundUp(longest); ; size *= 2) {
            int rows = (int) Math.min(size, most);
            List<List<Pack>> packed = pack(0, rows);
            costs.put(rows, packed.stream().mapToLong(this::cost).sum());
            if (rows == most || packed.stream().allMatch(step -> step.size() == 1)) {
                break;
            }
        }
        double enough = Collections.min(costs.values()) * WORTH;
        return costs.entrySet().stream().filter(entry -> entry.getValue() <= enough).findFirst().orElseThrow().getKey();
    }

    /** Of a step: what the device with most work has to do. */
    private long cost(List<Pack> packs) {
        return shares(packs, devices).stream().mapToLong(share -> share.stream().mapToLong(i -> cost(packs.get(i))).sum()).max().orElse(0);
    }

    private static long cost(Pack pack) {
        return pack.rows() + PACK_COST;
    }

    /** The indexes of packs that each of several devices computes: each pack goes to the one with the least to do so far. */
    public static List<List<Integer>> shares(List<Pack> packs, int devices) {
        var shares = new ArrayList<List<Integer>>();
        for (int d = 0; d < devices; d++) {
            shares.add(new ArrayList<>());
        }
        long[] costs = new long[devices];
        for (int i = 0; i < packs.size(); i++) {
            int least = 0;
            for (int d = 1; d < devices; d++) {
                least = costs[d] < costs[least] ? d : least;
            }
            shares.get(least).add(i);
            costs[least] += cost(packs.get(i));
        }
        return shares;
    }

    private static int roundUp(int rows) {
        return (rows + ROUNDING - 1) / ROUNDING * ROUNDING;
    }

    public int stepsPerEpoch() {
        return (samples.size() + samplesPerStep - 1) / samplesPerStep;
    }

    public int steps() {
        return stepsPerEpoch() * epochs;
    }

    /** The micro-batches of a step, counted from 0. */
    public List<Pack> packs(int step) {
        return epoch(step / stepsPerEpoch()).get(step % stepsPerEpoch());
    }

    private List<List<Pack>> epoch(int wanted) {
        if (epoch != wanted) {
            steps = pack(wanted, capacity);
            epoch = wanted;
        }
        return steps;
    }

    private List<List<Pack>> pack(int number, int rows) {
        var order = new ArrayList<>(samples);
        Collections.shuffle(order, new Random(seed * 31 + number));
        var packed = new ArrayList<List<Pack>>();
        for (int from = 0; from < order.size(); from += samplesPerStep) {
            List<Sample> chosen = order.subList(from, Math.min(from + samplesPerStep, order.size()));
            packed.add(Pack.firstFit(chosen, rows, packing));
        }
        return packed;
    }

    /**
     * Size that holds every micro-batch. Each epoch packs its samples in another order: of very many epochs not all are tried, and then
     * it is a size that holds any order.
     */
    public Shape shape(Cancel cancel) {
        boolean all = packing && (long) epochs * samples.size() <= MOST_TRIED;
        Shape shape = packing && !all ? fullPack() : new Shape(1, 1);
        for (int i = 0; i < (all ? epochs : 1); i++) {
            cancel.check("training");
            for (List<Pack> step : epoch(i)) {
                shape = shape.max(Shape.of(step));
            }
        }
        return shape;
    }

    /** What no pack is larger than. */
    private Shape fullPack() {
        long rows = samples.stream().mapToLong(Pack::rows).sum();
        long outputs = samples.stream().mapToLong(Sample::supervisedCount).sum();
        return new Shape((int) Math.min(rows, capacity), (int) Math.min(outputs, capacity));
    }

    /** Rows and supervised rows of a micro-batch. */
    public record Shape(int rows, int outputs) {

        /** The largest of both. */
        public static Shape of(List<Pack> packs) {
            Shape shape = new Shape(1, 1);
            for (Pack pack : packs) {
                shape = shape.max(new Shape(pack.rows(), pack.supervisedCount()));
            }
            return shape;
        }

        public Shape max(Shape other) {
            return new Shape(Math.max(rows, other.rows), Math.max(outputs, other.outputs));
        }
    }
}
