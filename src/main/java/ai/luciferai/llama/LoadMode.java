package ai.luciferai.llama;

/** How the weights come from the file into memory. */
public enum LoadMode {
    /** What suits the devices. */
    AUTO(-1),
    /** Plain reads. */
    READ(0),
    /** Mapped: loads at once, shared between processes, may be dropped by the system. */
    MMAP(1),
    /** Read, then locked into memory. */
    MLOCK(2),
    /** Mapped and locked. */
    MMAP_MLOCK(3),
    /** Past the page cache, where the file system can. */
    DIRECT_IO(4);

    private final int code;

    LoadMode(int code) {
        this.code = code;
    }

    /** The value of {@code enum llama_load_mode}. */
    int code() {
        return code;
    }

    /** The mode for the two switches that command lines have. */
    public static LoadMode of(boolean mmap, boolean mlock) {
        return mmap ? (mlock ? MMAP_MLOCK : MMAP) : (mlock ? MLOCK : READ);
    }
}
