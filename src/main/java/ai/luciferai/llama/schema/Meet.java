package ai.luciferai.llama.schema;

import ai.luciferai.llama.schema.Shape.Arrays;
import ai.luciferai.llama.schema.Shape.Bound;
import ai.luciferai.llama.schema.Shape.Branch;
import ai.luciferai.llama.schema.Shape.Constant;
import ai.luciferai.llama.schema.Shape.Numbers;
import ai.luciferai.llama.schema.Shape.Objects;
import ai.luciferai.llama.schema.Shape.Strings;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** What satisfies two shapes at once. */
final class Meet {

    private static final int MOST = 2000;

    private final Values values;

    Meet(Values values) {
        this.values = values;
    }

    List<Branch> of(List<Branch> a, List<Branch> b, String at) {
        if (a == Expansion.ANYTHING) {
            return b;
        }
        if (b == Expansion.ANYTHING) {
            return a;
        }
        Set<Branch> met = new LinkedHashSet<>();
        for (Branch one : a) {
            Bounded.check();
            for (Branch other : b) {
                Shape shape = shape(one.shape(), other.shape());
                if (shape != null) {
                    met.add(new Branch(shape, one.meant() || other.meant()));
                }
            }
            if (met.size() > MOST) {
                throw new Refused(at, "there are more than " + MOST + " ways to satisfy this", true);
            }
        }
        return List.copyOf(met);
    }

    private Shape shape(Shape a, Shape b) {
        if (a.equals(b)) {
            return a;
        }
        if (a instanceof Constant c) {
            return values.holds(c.value(), b) ? c : null;
        }
        if (b instanceof Constant) {
            return shape(b, a);
        }
        return switch (a) {
            case Numbers n when b instanceof Numbers other -> numbers(n, other);
            case Strings s when b instanceof Strings other -> strings(s, other);
            case Arrays x when b instanceof Arrays other -> arrays(x, other);
            case Objects o when b instanceof Objects other -> objects(o, other);
            default -> null;
        };
    }

    private static Shape numbers(Numbers a, Numbers b) {
        BigDecimal step = a.step() == null ? b.step() : b.step() == null ? a.step() : commonMultiple(a.step(), b.step());
        return new Numbers(tighter(a.low(), b.low(), 1), tighter(a.high(), b.high(), -1), a.integer() || b.integer(), step,
                a.step() == null ? b.stepAt() : a.stepAt());
    }

    private static Bound tighter(Bound a, Bound b, int sign) {
        if (a.value() == null || b.value() == null) {
            return a.value() == null ? b : a;
        }
        int order = a.value().compareTo(b.value()) * sign;
        return order == 0 ? new Bound(a.value(), a.open() || b.open()) : order > 0 ? a : b;
    }

    static BigDecimal commonMultiple(BigDecimal a, BigDecimal b) {
        int scale = Math.max(0, Math.max(a.scale(), b.scale()));
        BigInteger x = a.movePointRight(scale).toBigIntegerExact();
        BigInteger y = b.movePointRight(scale).toBigIntegerExact();
        return new BigDecimal(x.divide(x.gcd(y)).multiply(y)).movePointLeft(scale);
    }

    private static Shape strings(Strings a, Strings b) {
        int min = Math.max(a.min(), b.min());
        int max = Math.min(a.max(), b.max());
        return min > max ? null : new Strings(min, max, joined(a.terms(), b.terms()), a.at().isEmpty() ? b.at() : a.at());
    }

    private static Shape arrays(Arrays a, Arrays b) {
        int min = Math.max(a.min(), b.min());
        int max = Math.min(a.max(), b.max());
        return min > max ? null : new Arrays(joined(a.layers(), b.layers()), min, max,
                a.uniqueAt().isEmpty() ? b.uniqueAt() : a.uniqueAt(), joined(a.contains(), b.contains()));
    }

    private static Shape objects(Objects a, Objects b) {
        Set<String> required = new LinkedHashSet<>(a.required());
        required.addAll(b.required());
        int min = Math.max(a.min(), b.min());
        int max = Math.min(a.max(), b.max());
        return min > max || required.size() > max ? null : new Objects(joined(a.layers(), b.layers()), required, min, max,
                joined(a.names(), b.names()), b.min() > a.min() ? b.minAt() : a.minAt());
    }

    private static <T> List<T> joined(List<T> a, List<T> b) {
        Set<T> all = new LinkedHashSet<>(a);
        all.addAll(b);
        return new ArrayList<>(all);
    }
}
