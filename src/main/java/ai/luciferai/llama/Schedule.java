package ai.luciferai.llama;

import ai.luciferai.llama.core.InvalidOptionException;
import java.util.Locale;

/**
 * The learning rate of each step: it rises linearly over the warm-up, then follows the shape.
 *
 * @param learningRate its peak
 * @param shape        what comes after the warm-up
 * @param warmup       steps, or below 1 a share of all steps
 */
public record Schedule(float learningRate, Shape shape, float warmup) {

    /** Course of the learning rate behind the warm-up. */
    public enum Shape {
        /** Stays. */
        CONSTANT,
        /** Falls to 0 in a line. */
        LINEAR,
        /** Falls to 0 along half a cosine. */
        COSINE;

        /** Reads {@code constant}, {@code linear} or {@code cosine}. */
        public static Shape parse(String text) {
            for (Shape shape : values()) {
                if (shape.name().equals(text.toUpperCase(Locale.ROOT))) {
                    return shape;
                }
            }
            throw new InvalidOptionException("lr-schedule", "constant, linear or cosine", text);
        }
    }

    public Schedule {
        Check.require(learningRate > 0 && Float.isFinite(learningRate), "lr", "a number above 0", learningRate);
        Check.present("lr-schedule", shape);
        Check.atLeast("warmup", warmup, 0f);
    }

    /** 2e-4, cosine, three steps in a hundred to warm up. */
    public static Schedule defaults() {
        return new Schedule(2e-4f, Shape.COSINE, 0.03f);
    }

    public Schedule withLearningRate(float v) {
        return new Schedule(v, shape, warmup);
    }

    public Schedule withShape(Shape v) {
        return new Schedule(learningRate, v, warmup);
    }

    public Schedule withWarmup(float v) {
        return new Schedule(learningRate, shape, v);
    }

    /** Learning rate of a step, counted from 0, as transformers' schedulers give it. */
    public float at(int step, int steps) {
        int warm = warmup < 1 ? (int) Math.ceil(warmup * steps) : (int) warmup;
        if (step < warm) {
            return learningRate * step / warm;
        }
        double progress = (double) (step - warm) / Math.max(1, steps - warm);
        return (float) switch (shape) {
            case CONSTANT -> learningRate;
            case LINEAR -> learningRate * Math.max(0, 1 - progress);
            case COSINE -> learningRate * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, progress)));
        };
    }
}
