/* vm.c: see vm.h. One op, one case; what takes more than a line has a function of its own. */
#include "vm.h"

#include <math.h>
#include <stdio.h>

#include "builtins.h"

#define MOST_STEPS 2000000
#define MOST_INCLUDES 8
#define MOST_SCRATCH ((size_t)1 << 20)

static bool run(struct vm *vm, const struct op *op, struct value *locals, struct value *top);

void
vm_init(struct vm *vm, struct arena *arena, struct text *out)
{
	vm->arena = arena;
	vm->out = out;
	vm->globals = NULL;
	vm->include = NULL;
	vm->context = NULL;
	text_init(&vm->scratch, MOST_SCRATCH);
}

void
vm_release(struct vm *vm)
{
	text_release(&vm->scratch);
}

static bool
fail(struct vm *vm, const struct op *op, const char *what)
{
	if (!vm->error[0])
		snprintf(vm->error, sizeof vm->error, "%s in line %u", what,
		    vm->code->lines[op - vm->code->ops]);
	return false;
}

static bool
fail_operands(struct vm *vm, const struct op *op, struct value a, struct value b)
{
	char what[100];

	snprintf(what, sizeof what, "an operator doesn't take %s and %s", value_kind_name(a),
	    value_kind_name(b));
	return fail(vm, op, what);
}

static struct value
look_up(const struct vm *vm, const struct key *name)
{
	const struct value *found = NULL;

	if (vm->data.kind == VALUE_MAP)
		found = map_get(vm->data.map, name);
	if (!found && vm->globals)
		found = map_get(vm->globals, name);
	return found ? *found : NO_VALUE;
}

static struct value
member_of(struct value v, const struct key *name)
{
	const struct value *found = v.kind == VALUE_MAP ? map_get(v.map, name) : NULL;

	return found ? *found : NO_VALUE;
}

static struct value
item_of(struct value v, struct value index)
{
	if (v.kind == VALUE_LIST && index.kind == VALUE_INTEGER) {
		int64_t count = (int64_t)v.list->count;
		int64_t at = index.integer < 0 ? index.integer + count : index.integer;

		return at >= 0 && at < count ? v.list->items[at] : NO_VALUE;
	}
	if (v.kind == VALUE_MAP && value_is_text(index)) {
		struct key key = key_of(value_slice(index));

		return member_of(v, &key);
	}
	return NO_VALUE;
}

static bool
is_in(struct value needle, struct value v)
{
	struct key key;

	switch (v.kind) {
	case VALUE_LIST:
		for (size_t i = 0; i < v.list->count; i++) {
			if (value_equal(needle, v.list->items[i]))
				return true;
		}
		return false;
	case VALUE_MAP:
		if (!value_is_text(needle))
			return false;
		key = key_of(value_slice(needle));
		return map_get(v.map, &key) != NULL;
	case VALUE_STRING:
	case VALUE_HTML:
		return value_is_text(needle) &&
		       builtin_find_text(value_slice(v), value_slice(needle)) != SIZE_MAX;
	default:
		return false;
	}
}

static bool
reals(struct vm *vm, const struct op *op, double a, double b, struct value *result)
{
	double number;

	switch (op->code) {
	case OP_ADD:
		number = a + b;
		break;
	case OP_SUBTRACT:
		number = a - b;
		break;
	case OP_MULTIPLY:
		number = a * b;
		break;
	default:
		if (b == 0)
			return fail(vm, op, "a division by zero");
		number = op->code == OP_DIVIDE ? a / b : fmod(a, b);
		break;
	}
	*result = value_real(number);
	return true;
}

static bool
arithmetic(struct vm *vm, const struct op *op, struct value a, struct value b, struct value *result)
{
	int64_t integer = 0;
	bool overflow;

	if (!value_is_number(a) || !value_is_number(b))
		return fail_operands(vm, op, a, b);
	if (a.kind == VALUE_REAL || b.kind == VALUE_REAL)
		return reals(vm, op, value_number(a), value_number(b), result);
	switch (op->code) {
	case OP_ADD:
		overflow = __builtin_add_overflow(a.integer, b.integer, &integer);
		break;
	case OP_SUBTRACT:
		overflow = __builtin_sub_overflow(a.integer, b.integer, &integer);
		break;
	case OP_MULTIPLY:
		overflow = __builtin_mul_overflow(a.integer, b.integer, &integer);
		break;
	default:
		/* A quotient that isn't whole is a real; the least integer over -1 overflows. */
		overflow = b.integer == 0 || b.integer == -1 ||
			   (op->code == OP_DIVIDE && a.integer % b.integer);
		if (!overflow)
			integer =
			    op->code == OP_DIVIDE ? a.integer / b.integer : a.integer % b.integer;
		break;
	}
	if (overflow)
		return reals(vm, op, (double)a.integer, (double)b.integer, result);
	*result = value_integer(integer);
	return true;
}

static bool
compare(struct vm *vm, const struct op *op, struct value a, struct value b, struct value *result)
{
	int order;

	if (op->code == OP_EQUAL || op->code == OP_UNEQUAL) {
		*result = value_truth(value_equal(a, b) == (op->code == OP_EQUAL));
		return true;
	}
	if (!(value_is_number(a) && value_is_number(b)) &&
	    !(value_is_text(a) && value_is_text(b))) {
		if (a.kind != VALUE_NONE && b.kind != VALUE_NONE)
			return fail_operands(vm, op, a, b);
		*result = value_truth(false); /* what is missing is neither less nor more */
		return true;
	}
	order = value_compare(a, b);
	switch (op->code) {
	case OP_LESS:
		*result = value_truth(order < 0);
		break;
	case OP_AT_MOST:
		*result = value_truth(order <= 0);
		break;
	case OP_MORE:
		*result = value_truth(order > 0);
		break;
	default:
		*result = value_truth(order >= 0);
		break;
	}
	return true;
}

static bool
join(struct vm *vm, const struct op *op, struct value a, struct value b, struct value *result)
{
	struct slice joined;

	text_clear(&vm->scratch);
	value_print(a, &vm->scratch);
	value_print(b, &vm->scratch);
	joined.at = arena_copy(vm->arena, vm->scratch.bytes, vm->scratch.size);
	joined.size = vm->scratch.size;
	if (!joined.at || vm->scratch.failed)
		return fail(vm, op, "too much text joined");
	*result = value_string(joined);
	return true;
}

static bool
call(struct vm *vm, const struct op *op, const struct value *arguments, struct value *result)
{
	const struct builtin *builtin = &builtins[op->operand];
	struct call c = {.arena = vm->arena,
	    .scratch = &vm->scratch,
	    .arguments = arguments,
	    .count = op->count};
	char what[120];

	*result = builtin->run(&c);
	if (!c.failure)
		return true;
	snprintf(what, sizeof what, "%s: %s", builtin->name.at, c.failure);
	return fail(vm, op, what);
}

static bool
make_list(struct vm *vm, const struct op *op, const struct value *items, struct value *result)
{
	struct list *list = list_new(vm->arena, op->count);

	if (!list)
		return fail(vm, op, "no memory is left for the request");
	for (unsigned i = 0; i < op->count; i++)
		list->items[list->count++] = items[i];
	*result = (struct value){.kind = VALUE_LIST, .list = list};
	return true;
}

static bool
negate(struct vm *vm, const struct op *op, struct value *v)
{
	if (v->kind == VALUE_INTEGER && v->integer != INT64_MIN)
		v->integer = -v->integer;
	else if (v->kind == VALUE_INTEGER)
		*v = value_real(-(double)v->integer);
	else if (v->kind == VALUE_REAL)
		v->real = -v->real;
	else
		return fail(vm, op, "only numbers can be negated");
	return true;
}

static void
set_loop_names(const struct loop *loop, unsigned names, struct value *slots)
{
	struct value item, place;

	if (loop->over.kind == VALUE_LIST) {
		item = loop->over.list->items[loop->at];
		place = value_integer((int64_t)loop->at);
		slots[0] = names == 2 ? place : item;
	} else {
		const struct entry *entry = &loop->over.map->entries[loop->at];

		item = entry->value;
		slots[0] = value_string((struct slice){entry->key.name, entry->key.size});
	}
	if (names == 2)
		slots[1] = item;
}

/* 1: the body is to be run, 0: there is nothing to loop over, -1: failed. */
static int
begin_loop(struct vm *vm, const struct op *op, struct value over, struct value *locals)
{
	size_t count = 0;

	if (over.kind == VALUE_LIST)
		count = over.list->count;
	else if (over.kind == VALUE_MAP)
		count = over.map->count;
	else if (over.kind != VALUE_NONE)
		return fail(vm, op, "only lists and maps can be looped over"), -1;
	if (count == 0)
		return 0;
	if (vm->loop == vm->loops + VM_LOOPS - 1)
		return fail(vm, op, "too many loops in loops"), -1;
	*++vm->loop = (struct loop){.over = over, .count = count};
	set_loop_names(vm->loop, op->count, locals + op->slot);
	return 1;
}

static bool
advance_loop(struct vm *vm, const struct op *op, struct value *locals)
{
	struct loop *loop = vm->loop;

	if (++loop->at == loop->count) {
		vm->loop--;
		return false;
	}
	set_loop_names(loop, op->count, locals + op->slot);
	return true;
}

static struct value
loop_property(const struct loop *loop, unsigned property)
{
	switch (property) {
	case LOOP_INDEX:
		return value_integer((int64_t)loop->at + 1);
	case LOOP_FIRST:
		return value_truth(loop->at == 0);
	case LOOP_LAST:
		return value_truth(loop->at + 1 == loop->count);
	default:
		return value_integer((int64_t)loop->count);
	}
}

static bool
enter(struct vm *vm, const struct code *code, struct value data, struct value *top,
    struct value *result)
{
	const struct code *outer_code = vm->code;
	struct value outer_data = vm->data;
	struct value *locals = top;
	bool done;

	if (code->slots + code->depth + 1 > (size_t)(vm->stack + VM_STACK - top)) {
		snprintf(vm->error, sizeof vm->error, "the stack is used up");
		return false;
	}
	for (unsigned i = 0; i < code->slots; i++)
		*top++ = NO_VALUE;
	vm->code = code;
	vm->data = data;
	done = run(vm, code->ops, locals, top);
	vm->code = outer_code;
	vm->data = outer_data;
	if (done && result)
		*result = *top;
	return done;
}

static bool
include(struct vm *vm, const struct op *op, struct value data, struct value *top)
{
	const struct key *name = &vm->code->names[op->operand];
	const struct code *code = NULL;
	struct loop *loop = vm->loop;
	bool done;

	if (vm->includes == MOST_INCLUDES)
		return fail(vm, op, "too many includes in includes");
	if (vm->include)
		code = vm->include(vm->context, (struct slice){name->name, name->size});
	if (!code)
		return fail(vm, op, "an included template is missing or wrong");
	vm->includes++;
	done = enter(vm, code, data, top, NULL);
	vm->includes--;
	vm->loop = loop;
	return done;
}

static bool
binary(struct vm *vm, const struct op *op, struct value a, struct value b, struct value *result)
{
	switch (op->code) {
	case OP_ADD:
	case OP_SUBTRACT:
	case OP_MULTIPLY:
	case OP_DIVIDE:
	case OP_REMAINDER:
		return arithmetic(vm, op, a, b, result);
	case OP_JOIN:
		return join(vm, op, a, b, result);
	case OP_IN:
		*result = value_truth(is_in(a, b));
		return true;
	case OP_INDEX:
		*result = item_of(a, b);
		return true;
	default:
		return compare(vm, op, a, b, result);
	}
}

/* `top` is the next free entry. On success the result of an expression is the entry at the first `top`. */
static bool
run(struct vm *vm, const struct op *op, struct value *locals, struct value *top)
{
	const struct code *code = vm->code;
	const struct value *text;
	int begun;

	for (;; op++) {
		if (vm->steps_left-- == 0)
			return fail(vm, op, "too many steps");
		switch (op->code) {
		case OP_END:
			return !vm->out->failed || fail(vm, op, "the page is too large");
		case OP_TEXT:
			text = &code->constants[op->operand];
			text_put(vm->out, text->string, text->size);
			break;
		case OP_PRINT:
			value_print_html(*--top, vm->out);
			break;
		case OP_CONSTANT:
			*top++ = code->constants[op->operand];
			break;
		case OP_NAME:
			*top++ = look_up(vm, &code->names[op->operand]);
			break;
		case OP_THIS:
			*top++ = vm->data;
			break;
		case OP_LOCAL:
			*top++ = locals[op->slot];
			break;
		case OP_STORE:
			locals[op->slot] = *--top;
			break;
		case OP_MEMBER:
			top[-1] = member_of(top[-1], &code->names[op->operand]);
			break;
		case OP_CALL:
			top -= op->count;
			if (!call(vm, op, top, top))
				return false;
			top++;
			break;
		case OP_LIST:
			top -= op->count;
			if (!make_list(vm, op, top, top))
				return false;
			top++;
			break;
		case OP_LOOP:
			*top++ = loop_property(vm->loop, op->count);
			break;
		case OP_NOT:
			top[-1] = value_truth(!value_is_true(top[-1]));
			break;
		case OP_NEGATE:
			if (!negate(vm, op, &top[-1]))
				return false;
			break;
		case OP_JUMP:
			op = code->ops + op->operand - 1;
			break;
		case OP_JUMP_IF_FALSE:
			if (!value_is_true(*--top))
				op = code->ops + op->operand - 1;
			break;
		case OP_AND:
		case OP_OR:
			if (value_is_true(top[-1]) == (op->code == OP_OR))
				op = code->ops + op->operand - 1;
			else
				top--;
			break;
		case OP_EACH:
			begun = begin_loop(vm, op, *--top, locals);
			if (begun < 0)
				return false;
			if (!begun)
				op = code->ops + op->operand - 1;
			break;
		case OP_NEXT:
			if (advance_loop(vm, op, locals))
				op = code->ops + op->operand - 1;
			break;
		case OP_INCLUDE:
			top--;
			if (!include(vm, op, *top, top + 1))
				return false;
			break;
		default:
			top--;
			if (!binary(vm, op, top[-1], top[0], &top[-1]))
				return false;
			break;
		}
	}
}

static void
start(struct vm *vm)
{
	vm->steps_left = MOST_STEPS;
	vm->includes = 0;
	vm->top = vm->stack;
	vm->loop = vm->loops;
	vm->code = NULL;
	vm->error[0] = 0;
}

bool
vm_render(struct vm *vm, const struct code *code, struct value data)
{
	start(vm);
	return enter(vm, code, data, vm->top, NULL);
}

bool
vm_evaluate(struct vm *vm, const struct code *code, struct value data, struct value *result)
{
	start(vm);
	return enter(vm, code, data, vm->top, result);
}
