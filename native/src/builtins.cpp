#include "builtins.h"

#include "common/jinja/runtime.h"
#include "common/jinja/value.h"

#include <cmath>
#include <functional>
#include <mutex>
#include <typeinfo>
#include <vector>

namespace lucifer {

namespace {

using namespace jinja;

// A look at the arguments; throws when the function must not have them.
using look = std::function<void(const func_args &)>;

void guard_builtin(const func_builtins & table, const char * name, const look & before) {
    // the table is constant, what it holds is not
    auto & function = const_cast<func_handler &>(table.at(name));
    function        = [before, original = function](const func_args & args) {
        before(args);
        return original(args);
    };
}

void require_divisor(const func_args & args) {
    if (args.count() != 2 || !is_val<value_int>(args.get_pos(0)) || !is_val<value_int>(args.get_pos(1))) {
        return; // refused later
    }
    const int64_t dividend = args.get_pos(0)->as_int(), divisor = args.get_pos(1)->as_int();
    if (divisor == 0 || (divisor == -1 && dividend == INT64_MIN)) {
        throw raised_exception("divisibleby: " + std::to_string(dividend) + " cannot be divided by " + std::to_string(divisor));
    }
}

// Values that llama.cpp compares with each other by one order: numbers by size, texts by their bytes, all others not at all.
enum class order { number, text, none };

order order_of(const value & v) {
    if (is_val<value_int>(v) || is_val<value_float>(v)) {
        return std::isnan(v->as_float()) ? order::none : order::number;
    }
    return is_val<value_string>(v) ? order::text : order::none;
}

void require_one_order(const char * function, const std::vector<value> & keys) {
    for (const value & key : keys) {
        if (order_of(key) != order_of(keys[0])) {
            throw raised_exception(std::string(function) + ": " + keys[0]->type() + " and " + key->type() + " have no common order");
        }
    }
}

// What llama.cpp sorts an item by.
value sort_key(const value & item, const value & attribute) {
    if (is_val<value_int>(attribute) && is_val<value_array>(item)) {
        return item->at(attribute->as_int());
    }
    if (!attribute->is_undefined() && !is_val<value_int>(attribute) && is_val<value_object>(item)) {
        return item->at(attribute);
    }
    return item; // with an attribute it is refused later
}

void require_sortable(const func_args & args) {
    const value list = args.get_pos(0), attribute = args.get_kwarg_or_pos("attribute", 3);
    if (!is_val<value_array>(list) || list->val_arr.size() < 2) {
        return;
    }
    std::vector<value> keys;
    for (const value & item : list->val_arr) {
        keys.push_back(sort_key(item, attribute));
    }
    require_one_order("sort", keys);
}

void require_sortable_dict(const func_args & args) {
    const value by       = args.get_kwarg_or_pos("by", 2);
    const bool  by_value = is_val<value_string>(by) && by->as_string().str() == "value";
    std::vector<value> keys;
    for (const auto & entry : args.get_pos(0)->val_obj) {
        keys.push_back(by_value ? entry.second : entry.first);
    }
    require_one_order("dictsort", keys);
}

template <typename T> void name_type(std::string & message, const char * name) {
    const std::string mangled = typeid(T).name();
    for (size_t at; (at = message.find(mangled)) != std::string::npos;) {
        message.replace(at, mangled.size(), name);
    }
}

} // namespace

void guard_builtins() {
    static std::once_flag once;
    std::call_once(once, [] {
        guard_builtin(global_builtins(), "test_is_divisibleby", require_divisor);
        guard_builtin(value_array_t().get_builtins(), "sort", require_sortable);
        guard_builtin(value_object_t().get_builtins(), "dictsort", require_sortable_dict);
    });
}

std::string name_types(std::string message) {
    name_type<value_string>(message, "String");
    name_type<value_int>(message, "Integer");
    name_type<value_float>(message, "Float");
    name_type<value_bool>(message, "Boolean");
    name_type<value_array>(message, "Array");
    name_type<value_object>(message, "Object");
    return message;
}

} // namespace lucifer
