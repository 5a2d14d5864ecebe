#include "objects.h"

using namespace lucifer;

int32_t lucifer_adapter_load(struct lucifer_model * model, const char * path, struct lucifer_adapter ** out) {
    return guard_object("lucifer_adapter_load", model, [&] {
        require(path, "path");
        require(out, "out");
        return with_servers(model->links, [&] {
            llama_adapter_lora_ptr adapter(llama_adapter_lora_init(model->model.get(), path));
            if (adapter == nullptr) {
                const std::string cause = call_last_error_line();
                fail(LUCIFER_STATUS_INVALID_FILE, "%s cannot be used as adapter of %s: %s", path, model->path.c_str(),
                     cause.empty() ? "llama.cpp does not say why" : cause.c_str());
            }
            require_servers(model->links);
            *out = new lucifer_adapter{std::move(adapter), model, remember_subject(path)};
            return (int32_t) LUCIFER_STATUS_OK;
        });
    });
}

int32_t lucifer_adapter_free(struct lucifer_adapter * adapter) {
    if (adapter == nullptr) {
        return LUCIFER_STATUS_OK;
    }
    return guard("lucifer_adapter_free", adapter->subject, [&] {
        delete adapter;
        return (int32_t) LUCIFER_STATUS_OK;
    });
}
