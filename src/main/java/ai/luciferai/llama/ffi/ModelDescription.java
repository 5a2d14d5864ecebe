package ai.luciferai.llama.ffi;

import ai.luciferai.llama.bindings.lucifer_model_info;
import java.lang.foreign.MemorySegment;

/**
 * Mirror of the C struct {@code lucifer_model_info}: what a loaded model is.
 *
 * @param sizeBytes    of all tensors
 * @param vocabType    enum llama_vocab_type; 0: the file has no vocabulary
 * @param ftype        enum llama_ftype
 * @param poolingType  of the file; -1: not said
 * @param tokenBos     -1 where there is none, here and below
 * @param nSwa         sliding attention window in tokens; 0: none
 * @param nGpuLayers   as asked for, or as fitted
 * @param fitNCtx      context size that AUTO fitted; 0: no fitting took place
 * @param description  "llama 1B Q4_K - Medium"
 */
public record ModelDescription(
        long nParams, long sizeBytes, int nCtxTrain, int nEmbd, int nEmbdOut, int nLayer, int nHead, int nHeadKv, int nVocab,
        int vocabType, int ftype, int ropeType, int poolingType, int nClsOut, int tokenBos, int tokenEos, int tokenEot,
        int tokenSep, int tokenNl, int tokenPad, int decoderStart, boolean addBos, boolean addEos, boolean hasEncoder,
        boolean hasDecoder, boolean isRecurrent, boolean isHybrid, boolean isDiffusion, int nSwa, int nGpuLayers, int fitNCtx,
        String description) {

    static ModelDescription of(MemorySegment struct) {
        return new ModelDescription(
                lucifer_model_info.n_params(struct), lucifer_model_info.size_bytes(struct),
                lucifer_model_info.n_ctx_train(struct), lucifer_model_info.n_embd(struct),
                lucifer_model_info.n_embd_out(struct), lucifer_model_info.n_layer(struct), lucifer_model_info.n_head(struct),
                lucifer_model_info.n_head_kv(struct), lucifer_model_info.n_vocab(struct),
                lucifer_model_info.vocab_type(struct), lucifer_model_info.ftype(struct), lucifer_model_info.rope_type(struct),
                lucifer_model_info.pooling_type(struct), lucifer_model_info.n_cls_out(struct),
                lucifer_model_info.token_bos(struct), lucifer_model_info.token_eos(struct),
                lucifer_model_info.token_eot(struct), lucifer_model_info.token_sep(struct),
                lucifer_model_info.token_nl(struct), lucifer_model_info.token_pad(struct),
                lucifer_model_info.decoder_start(struct), lucifer_model_info.add_bos(struct) != 0,
                lucifer_model_info.add_eos(struct) != 0, lucifer_model_info.has_encoder(struct) != 0,
                lucifer_model_info.has_decoder(struct) != 0, lucifer_model_info.is_recurrent(struct) != 0,
                lucifer_model_info.is_hybrid(struct) != 0, lucifer_model_info.is_diffusion(struct) != 0,
                lucifer_model_info.n_swa(struct), lucifer_model_info.n_gpu_layers(struct),
                lucifer_model_info.fit_n_ctx(struct), NativeText.of(lucifer_model_info.description(struct)));
    }
}
