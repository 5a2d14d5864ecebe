// A chat template and, behind a NUL, the request that it renders; without a NUL, a chat with a tool.

#include "frame.h"

static const char chat[] = R"({"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What time is it?"},
  {"role": "assistant", "content": "", "tool_calls": [{"id": "call1", "type": "function", "function": {"name": "time", "arguments": "{}"}}]},
  {"role": "tool", "tool_call_id": "call1", "name": "time", "content": "12:00"}, {"role": "user", "content": "Thanks"}],
  "tools": [{"type": "function", "function": {"name": "time", "description": "Tells the time.",
  "parameters": {"type": "object", "properties": {"zone": {"type": "string"}}}}}], "add_generation_prompt": true})";

void attempt(const std::string & input) {
    const size_t      end     = input.find('\0');
    const std::string source  = as_utf8(input.substr(0, end));
    const std::string request = end == std::string::npos ? chat : as_utf8(input.substr(end + 1));
    std::string       prompt(1 << 16, '\0');
    int64_t           len = 0;
    const int32_t status  = lucifer_chat_render(sound_model(LUCIFER_FUZZ_MODEL), source.c_str(), request.c_str(), nullptr, &prompt[0],
                                                (int64_t) prompt.size(), &len);
    if (status != LUCIFER_STATUS_BUFFER_TOO_SMALL) {
        accepted(status);
    }
}
