package ai.luciferai.llama;

import ai.luciferai.llama.ffi.ModelHandle;

/** The vocabulary of a loaded model; what was asked once is remembered. <i>Threads</i>: any. */
final class TokenTable implements Vocabulary {

    private final ModelHandle model;

    /** Written without a lock: a piece is immutable, and making one twice does no harm. */
    private final Piece[] plain;
    private final Piece[] special;

    TokenTable(ModelHandle model) {
        this.model = model;
        this.plain = new Piece[model.description().nVocab()];
        this.special = new Piece[model.description().nVocab()];
    }

    @Override
    public Piece piece(int token, boolean withSpecial) {
        Piece[] table = withSpecial ? special : plain;
        if (token < 0 || token >= table.length || table[token] == null) {
            Piece piece = Piece.of(model.piece(token, withSpecial));
            table[token] = piece;
            return piece;
        }
        return table[token];
    }

    @Override
    public boolean isEndOfGeneration(int token) {
        return model.endsGeneration(token);
    }

    @Override
    public int size() {
        return plain.length;
    }
}
