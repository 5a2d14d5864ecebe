package ai.luciferai.llama;

import java.util.ArrayList;
import java.util.List;

/** The open children of a model, oldest first. */
final class Children {

    private final List<Child> open = new ArrayList<>();

    synchronized void add(Child child) {
        open.add(child);
    }

    synchronized void remove(Child child) {
        open.remove(child);
    }

    /** Closes all, newest first, or none when one is in use by another thread. */
    void closeAll(String why) {
        List<Child> newestFirst;
        synchronized (this) {
            newestFirst = List.copyOf(open).reversed();
        }
        List<Child> reserved = reserve(newestFirst, why);
        for (Child child : reserved) {
            try {
                child.closeReserved();
            } finally {
                child.occupancy().leave();
            }
        }
    }

    private static List<Child> reserve(List<Child> children, String why) {
        List<Child> reserved = new ArrayList<>();
        try {
            for (Child child : children) {
                if (!child.occupancy().isClosed()) {
                    child.occupancy().enterAlone(why);
                    reserved.add(child);
                }
            }
            return reserved;
        } catch (RuntimeException e) {
            reserved.forEach(child -> child.occupancy().leave());
            throw e;
        }
    }
}
