package ai.luciferai.llama;

/** What a model opened and closes at the latest when it is closed itself. */
interface Child {

    Occupancy occupancy();

    /** Closes it; the calling thread has entered alone. */
    void closeReserved();
}
