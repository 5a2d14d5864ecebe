package ai.luciferai.llama;

/** What a model opened and closes at the latest when it is closed itself. */
interface Child {

    Occupancy occupancy();

    /** Closes it; the calling thread has entered alone. */
    void closeReserved();

    /** @param release frees what it holds */
    static Child of(Occupancy occupancy, Runnable release) {
        return new Child() {
            @Override
            public Occupancy occupancy() {
                return occupancy;
            }

            @Override
            public void closeReserved() {
                occupancy.closeReserved();
                release.run();
            }
        };
    }
}
