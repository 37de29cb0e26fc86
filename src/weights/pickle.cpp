// The instructions are those of Python's pickletools.py.
#include "weights/pickle.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <unordered_map>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline weights {
using enum ErrorCode;
namespace {

// Far beyond any checkpoint: a run of D-FINE-X has 0.1 million values in 2 MB.
constexpr size_t kMaxNodes = 1'000'000;
constexpr size_t kMaxDimensions = 64, kMaxName = 256;

const char* const kDamaged =
    "The file is damaged or was not written completely: use another checkpoint.";

[[noreturn]] void fail(const std::string& what) {
  throw Error(kFileDamaged, "its pickle is damaged: " + what, kDamaged);
}

std::optional<StorageType> storage_type(const std::string& name) {
  using enum StorageType;
  static const std::unordered_map<std::string, StorageType> kTypes{
      {"torch.FloatStorage", kFloat}, {"torch.DoubleStorage", kDouble},
      {"torch.HalfStorage", kHalf},   {"torch.BFloat16Storage", kBFloat16},
      {"torch.LongStorage", kLong},   {"torch.IntStorage", kInt},
      {"torch.ShortStorage", kShort}, {"torch.CharStorage", kChar},
      {"torch.ByteStorage", kByte},   {"torch.BoolStorage", kBool}};
  const auto found = kTypes.find(name);
  return found == kTypes.end() ? std::nullopt : std::optional(found->second);
}

template <class T>
const T* as(const PickleNode* node) {
  return std::get_if<T>(&node->value);
}

/// The machine that pickles are programs of: a stack, marks on it, and a memory of earlier values.
class Machine {
 public:
  explicit Machine(std::string_view bytes) : bytes_(bytes) {}

  Pickle run() {
    while (step()) {
    }
    return std::move(pickle_);
  }

 private:
  using Nodes = std::vector<PickleNode*>;

  // ---- The bytes.

  std::string_view take(uint64_t count) {
    if (count > bytes_.size() - at_) fail("it ends too early");
    const std::string_view taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }

  uint64_t number(size_t width) {
    const std::string_view taken = take(width);
    uint64_t value = 0;
    for (size_t i = 0; i < width; ++i)
      value |= uint64_t{static_cast<unsigned char>(taken[i])} << (8 * i);
    return value;
  }

  double big_endian_double() {
    const std::string_view taken = take(8);
    uint64_t bits = 0;
    for (const char byte : taken) bits = bits << 8 | static_cast<unsigned char>(byte);
    return std::bit_cast<double>(bits);
  }

  std::string_view line() {
    const size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) fail("it ends too early");
    const std::string_view taken = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return taken;
  }

  // ---- The stack.

  template <class T>
  void push(T value) {
    if (pickle_.nodes.size() == kMaxNodes)
      throw Error(kFormatInvalid, str_cat("its pickle has more than ", kMaxNodes, " values"),
                  "This is no checkpoint of a detector. Do not open it with other programs.");
    pickle_.nodes.push_back({std::move(value)});
    stack_.push_back(&pickle_.nodes.back());
  }

  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  PickleNode* pop() {
    if (stack_.size() <= floor()) fail("a value is missing");
    PickleNode* node = stack_.back();
    stack_.pop_back();
    return node;
  }

  PickleNode* top() {
    if (stack_.size() <= floor()) fail("a value is missing");
    return stack_.back();
  }

  /// What stands above the last mark.
  Nodes pop_to_mark() {
    if (marks_.empty()) fail("a mark is missing");
    const auto from = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    Nodes nodes(from, stack_.end());
    stack_.erase(from, stack_.end());
    marks_.pop_back();
    return nodes;
  }

  Nodes pop_many(size_t count) {
    Nodes nodes(count);
    for (size_t i = count; i > 0; --i) nodes[i - 1] = pop();
    return nodes;
  }

  // ---- What instructions do.

  void integer(std::string_view bytes) {
    if (bytes.size() > 8) return push(PickleObject{});  // larger than any number of a checkpoint
    const bool negative = !bytes.empty() && static_cast<signed char>(bytes.back()) < 0;
    uint64_t value = negative ? ~uint64_t{0} : 0;
    for (size_t i = bytes.size(); i > 0; --i)
      value = value << 8 | static_cast<unsigned char>(bytes[i - 1]);
    push(static_cast<int64_t>(value));
  }

  void global(std::string_view module, std::string_view name) {
    if (module.size() > kMaxName || name.size() > kMaxName) fail("the name of a class is too long");
    push(PickleGlobal{str_cat(module, ".", name)});
  }

  void append(const Nodes& items) {
    // Objects that were not built stay as they are.
    if (auto* list = std::get_if<PickleList>(&top()->value))
      list->items.insert(list->items.end(), items.begin(), items.end());
  }

  void set_items(const Nodes& items) {
    if (items.size() % 2 != 0) fail("a dict has a key without a value");
    auto* dict = std::get_if<PickleDict>(&top()->value);
    if (!dict) return;
    for (size_t i = 0; i < items.size(); i += 2) dict->items.emplace_back(items[i], items[i + 1]);
  }

  /// torch.save names a storage so: ("storage", class, record, device, elements).
  void persistent(const PickleNode* id) {
    const auto* parts = as<PickleList>(id);
    if (!parts || parts->items.size() != 5) return push(PickleObject{});
    const auto* kind = as<PickleGlobal>(parts->items[1]);
    const auto* record = as<std::string>(parts->items[2]);
    const auto* elements = as<int64_t>(parts->items[4]);
    if (!kind || !record || !elements) return push(PickleObject{});
    if (record->size() > kMaxName) fail("the name of a record is too long");
    const auto type = storage_type(kind->name);
    if (!type) return push(PickleObject{parts->items[1]});
    push(PickleStorage{*type, *record, *elements});
  }

  static std::optional<std::vector<int64_t>> numbers(const PickleNode* node) {
    const auto* list = as<PickleList>(node);
    if (!list || list->items.size() > kMaxDimensions) return std::nullopt;
    std::vector<int64_t> values;
    for (const PickleNode* item : list->items) {
      const auto* value = as<int64_t>(item);
      if (!value) return std::nullopt;
      values.push_back(*value);
    }
    return values;
  }

  /// (storage, offset, sizes, strides, ...).
  std::optional<PickleTensor> tensor(const Nodes& arguments) const {
    if (arguments.size() < 4) return std::nullopt;
    const auto* storage = as<PickleStorage>(arguments[0]);
    const auto* offset = as<int64_t>(arguments[1]);
    auto sizes = numbers(arguments[2]), strides = numbers(arguments[3]);
    if (!storage || !offset || !sizes || !strides || sizes->size() != strides->size())
      return std::nullopt;
    return PickleTensor{storage, *offset, std::move(*sizes), std::move(*strides)};
  }

  /// A call, of which only these four are known; all others leave an object that was not built.
  void reduce(PickleNode* function, PickleNode* given) {
    const auto* global = as<PickleGlobal>(function);
    const auto* arguments = as<PickleList>(given);
    if (!global || !arguments) return push(PickleObject{function});
    if (global->name == "collections.OrderedDict" && arguments->items.empty())
      return push(PickleDict{});
    if (global->name == "torch._utils._rebuild_tensor_v2") {
      if (auto built = tensor(arguments->items)) return push(std::move(*built));
    }
    if ((global->name == "torch._utils._rebuild_parameter" ||
         global->name == "torch._utils._rebuild_parameter_with_state") &&
        !arguments->items.empty() && as<PickleTensor>(arguments->items[0])) {
      stack_.push_back(arguments->items[0]);
      return;
    }
    push(PickleObject{function});
  }

  void remember(uint64_t at) { memory_[at] = top(); }

  void recall(uint64_t at) {
    const auto found = memory_.find(at);
    if (found == memory_.end()) fail("it refers to a value that it does not have");
    stack_.push_back(found->second);
  }

  /// Of two values: the lower one first.
  template <class Do>
  void with_two(Do apply) {
    PickleNode* const second = pop();
    PickleNode* const first = pop();
    apply(first, second);
  }

  void stack_global() {
    with_two([&](const PickleNode* module, const PickleNode* name) {
      if (!as<std::string>(module) || !as<std::string>(name)) fail("a class has no name");
      global(*as<std::string>(module), *as<std::string>(name));
    });
  }

  bool step() {
    const auto code = static_cast<unsigned char>(take(1)[0]);
    switch (code) {
      case 0x80:  // PROTO
        if (const uint64_t version = number(1); version < 2 || version > 5)
          fail(str_cat("it is of protocol ", version));
        break;
      case 0x95:  // FRAME
        number(8);
        break;
      case '.':  // STOP
        pickle_.root = pop();
        return false;
      case '(':  // MARK
        marks_.push_back(stack_.size());
        break;
      case '0':  // POP
        if (!marks_.empty() && stack_.size() == floor()) {
          marks_.pop_back();
        } else {
          pop();
        }
        break;
      case '1':  // POP_MARK
        pop_to_mark();
        break;
      case '2':  // DUP
        stack_.push_back(top());
        break;
      case 'N':  // NONE
        push(std::monostate{});
        break;
      case 0x88:  // NEWTRUE
      case 0x89:  // NEWFALSE
        push(code == 0x88);
        break;
      case 'J':  // BININT
        push(int64_t{static_cast<int32_t>(number(4))});
        break;
      case 'K':  // BININT1
        push(static_cast<int64_t>(number(1)));
        break;
      case 'M':  // BININT2
        push(static_cast<int64_t>(number(2)));
        break;
      case 0x8a:  // LONG1
        integer(take(number(1)));
        break;
      case 0x8b:  // LONG4
        integer(take(number(4)));
        break;
      case 'G':  // BINFLOAT
        push(big_endian_double());
        break;
      case 'U':   // SHORT_BINSTRING
      case 'C':   // SHORT_BINBYTES
      case 0x8c:  // SHORT_BINUNICODE
        push(std::string(take(number(1))));
        break;
      case 'T':  // BINSTRING
      case 'B':  // BINBYTES
      case 'X':  // BINUNICODE
        push(std::string(take(number(4))));
        break;
      case 0x8d:  // BINUNICODE8
      case 0x8e:  // BINBYTES8
      case 0x96:  // BYTEARRAY8
        push(std::string(take(number(8))));
        break;
      case ')':  // EMPTY_TUPLE
      case ']':  // EMPTY_LIST
        push(PickleList{});
        break;
      case 't':  // TUPLE
      case 'l':  // LIST
        push(PickleList{pop_to_mark()});
        break;
      case 0x85:  // TUPLE1
      case 0x86:  // TUPLE2
      case 0x87:  // TUPLE3
        push(PickleList{pop_many(code - 0x84u)});
        break;
      case 'a':  // APPEND
        append({pop()});
        break;
      case 'e':  // APPENDS
        append(pop_to_mark());
        break;
      case '}':  // EMPTY_DICT
        push(PickleDict{});
        break;
      case 'd': {  // DICT
        const Nodes items = pop_to_mark();
        push(PickleDict{});
        set_items(items);
        break;
      }
      case 's':  // SETITEM
        set_items(pop_many(2));
        break;
      case 'u':  // SETITEMS
        set_items(pop_to_mark());
        break;
      case 0x8f:  // EMPTY_SET
        push(PickleObject{});
        break;
      case 0x90:  // ADDITEMS
        pop_to_mark();
        top();
        break;
      case 0x91:  // FROZENSET
        pop_to_mark();
        push(PickleObject{});
        break;
      case 'c': {  // GLOBAL
        const std::string_view module = line();
        global(module, line());
        break;
      }
      case 0x93:  // STACK_GLOBAL
        stack_global();
        break;
      case 'Q':  // BINPERSID
        persistent(pop());
        break;
      case 'R':  // REDUCE
        with_two([&](PickleNode* function, PickleNode* given) { reduce(function, given); });
        break;
      case 0x81:  // NEWOBJ
        with_two([&](PickleNode* of, PickleNode*) { push(PickleObject{of}); });
        break;
      case 0x92: {  // NEWOBJ_EX
        const Nodes parts = pop_many(3);
        push(PickleObject{parts[0]});
        break;
      }
      case 'b':  // BUILD: attributes, such as _metadata of a state_dict
        pop();
        top();
        break;
      case 'q':  // BINPUT
        remember(number(1));
        break;
      case 'r':  // LONG_BINPUT
        remember(number(4));
        break;
      case 0x94:  // MEMOIZE
        remember(memory_.size());
        break;
      case 'h':  // BINGET
        recall(number(1));
        break;
      case 'j':  // LONG_BINGET
        recall(number(4));
        break;
      default:
        fail(str_cat("instruction ", int{code}, " is not one that torch.save writes"));
    }
    return true;
  }

  std::string_view bytes_;
  size_t at_ = 0;
  Pickle pickle_;
  Nodes stack_;
  std::vector<size_t> marks_;  // sizes of the stack
  std::unordered_map<uint64_t, PickleNode*> memory_;
};

}  // namespace

std::string kind_of(const PickleNode& node) {
  static constexpr std::array<const char*, 11> kKinds{
      "None",   "a bool",  "an int",    "a float",   "a text",  "a list",
      "a dict", "a class", "an object", "a storage", "a tensor"};
  if (const auto* global = as<PickleGlobal>(&node)) return "the class " + global->name;
  if (const auto* object = as<PickleObject>(&node); object && object->of) {
    if (const auto* of = as<PickleGlobal>(object->of)) return "an object of " + of->name;
  }
  return kKinds[node.value.index()];
}

const PickleNode* find_entry(const PickleNode& node, std::string_view key) {
  const auto* dict = as<PickleDict>(&node);
  if (!dict) return nullptr;
  const PickleNode* found = nullptr;
  for (const auto& [name, value] : dict->items) {
    if (const auto* text = as<std::string>(name); text && *text == key) found = value;
  }
  return found;
}

Pickle parse_pickle(std::string_view bytes) {
  return Machine(bytes).run();
}

}  // namespace dfine::inline weights
