/* demangle_names.c: scopes and their names: namespaces, classes, functions, operators, lambdas; see demangle_private.h. */
#include "symbol/demangle_private.h"

/* "_", "0_", "Z_": 0, 1, 36. */
static bool
read_sequence(struct pf_mangled *p, size_t *number)
{
	size_t value = 0;

	if (take(p, "_")) {
		*number = 0;
		return true;
	}
	for (; is_digit(peek(p, 0)) || (peek(p, 0) >= 'A' && peek(p, 0) <= 'Z'); p->at++) {
		value = value * 36 + (size_t)(is_digit(*p->at) ? *p->at - '0' : *p->at - 'A' + 10);
		if (value > MOST_SUBSTITUTIONS)
			return false;
	}
	*number = value + 1;
	return take(p, "_");
}

/* What follows S, but for St. */
uint16_t
pf_demangle_substitution(struct pf_mangled *p)
{
	static const struct {
		char letter;
		const char *name;
	} abbreviations[] = {{'a', "std::allocator"}, {'b', "std::basic_string"},
	    {'s', "std::basic_string"}, {'i', "std::basic_istream"}, {'o', "std::basic_ostream"},
	    {'d', "std::basic_iostream"}};
	size_t number;

	for (size_t i = 0; i < sizeof abbreviations / sizeof *abbreviations; i++) {
		if (peek(p, 0) != abbreviations[i].letter)
			continue;
		p->at++;
		return add_text(p, 0, abbreviations[i].name);
	}
	if (!read_sequence(p, &number) || number >= p->substitution_count)
		return 0;
	return p->substitutions[number];
}

/* ---- the parts of a name ---- */

/* "6record" */
uint16_t
pf_demangle_source_name(struct pf_mangled *p, uint16_t scope)
{
	static const char anonymous[] = "_GLOBAL__N";
	uint32_t size;
	const char *text;

	if (!read_number(p, &size) || size == 0 || size > (size_t)(p->end - p->at))
		return 0;
	text = p->at;
	p->at += size;
	if (size >= sizeof anonymous - 1 && memcmp(text, anonymous, sizeof anonymous - 1) == 0)
		return add_text(p, scope, "(anonymous namespace)");
	return add_node(p, scope, text, size);
}

static uint16_t
read_operator(struct pf_mangled *p, uint16_t scope)
{
	static const struct {
		char code[3];
		const char *name;
	} operators[] = {{"nw", " new"}, {"na", " new[]"}, {"dl", " delete"}, {"da", " delete[]"},
	    {"aw", " co_await"}, {"ps", "+"}, {"ng", "-"}, {"ad", "&"}, {"de", "*"}, {"co", "~"},
	    {"pl", "+"}, {"mi", "-"}, {"ml", "*"}, {"dv", "/"}, {"rm", "%"}, {"an", "&"},
	    {"or", "|"}, {"eo", "^"}, {"aS", "="}, {"pL", "+="}, {"mI", "-="}, {"mL", "*="},
	    {"dV", "/="}, {"rM", "%="}, {"aN", "&="}, {"oR", "|="}, {"eO", "^="}, {"ls", "<<"},
	    {"rs", ">>"}, {"lS", "<<="}, {"rS", ">>="}, {"eq", "=="}, {"ne", "!="}, {"lt", "<"},
	    {"gt", ">"}, {"le", "<="}, {"ge", ">="}, {"ss", "<=>"}, {"nt", "!"}, {"aa", "&&"},
	    {"oo", "||"}, {"pp", "++"}, {"mm", "--"}, {"cm", ","}, {"pm", "->*"}, {"pt", "->"},
	    {"cl", "()"}, {"ix", "[]"}, {"qu", "?"}};
	uint16_t node, type;

	if (take(p, "cv")) {
		node = add_text(p, scope, "operator ");
		type = node ? pf_demangle_type(p) : 0;
		if (type)
			p->nodes[node].type = type;
		return type ? node : 0;
	}
	if (take(p, "li")) {
		node = add_text(p, scope, "operator\"\" ");
		type = node ? pf_demangle_source_name(p, 0) : 0;
		if (type)
			p->nodes[node].type = type;
		return type ? node : 0;
	}
	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
		if (take(p, operators[i].code))
			return add_joined(p, add_text(p, scope, "operator"), operators[i].name);
	}
	return 0;
}

/* "Ul…E_" a lambda, "Ut_" a type without a name: counted from 1. */
static uint16_t
read_unnamed(struct pf_mangled *p, uint16_t scope)
{
	uint32_t number = 0;
	uint16_t node;

	if (take(p, "Ut")) {
		node = add_text(p, scope, "{unnamed type#");
	} else if (take(p, "Ul")) {
		node = add_text(p, scope, "{lambda#");
		while (!take(p, "E")) {
			if (!pf_demangle_type(p))
				return 0;
		}
	} else {
		return 0;
	}
	if (is_digit(peek(p, 0))) {
		if (!read_number(p, &number))
			return 0;
		number++;
	}
	if (!node || !take(p, "_"))
		return 0;
	p->nodes[node].number = number + 1;
	return node;
}

/* "C1" and "D2" are called by their class: the innermost name of the scope. */
static uint16_t
read_constructor(struct pf_mangled *p, uint16_t scope)
{
	bool destructor = peek(p, 0) == 'D';
	const struct pf_name_node *class;
	const char *text;
	size_t size;
	uint16_t node = scope;

	p->at++;
	if (!destructor)
		take(p, "I"); /* inherited: its class follows */
	if (!is_digit(peek(p, 0)))
		return 0;
	if (p->at[-1] == 'I') {
		p->at++;
		if (!pf_demangle_type(p))
			return 0;
	} else {
		p->at++;
	}
	while (node && p->nodes[node].joined)
		node = p->nodes[node].parent;
	class = &p->nodes[node];
	text = class->text;
	size = class->size;
	for (size_t i = size; i-- > 0;) { /* of "std::string" */
		if (text[i] == ':') {
			text += i + 1;
			size -= i + 1;
			break;
		}
	}
	if (!node || class->number)
		return 0;
	if (!destructor)
		return add_node(p, scope, text, size);
	node = add_text(p, scope, "~");
	scope = add_node(p, 0, text, size);
	if (!scope)
		return 0;
	p->nodes[node].type = scope;
	return node;
}

/* A name within a scope, 0 for none, with the tags of its ABI ("[abi:cxx11]"). */
static uint16_t
read_unqualified(struct pf_mangled *p, uint16_t scope)
{
	uint16_t node, tag;
	char c;

	take(p, "L"); /* internal linkage */
	c = peek(p, 0);
	if (is_digit(c))
		node = pf_demangle_source_name(p, scope);
	else if (c == 'U')
		node = read_unnamed(p, scope);
	else if (scope && (c == 'C' || (c == 'D' && is_digit(peek(p, 1)))))
		node = read_constructor(p, scope);
	else
		node = read_operator(p, scope);
	while (node && take(p, "B")) {
		tag = pf_demangle_source_name(p, 0);
		node = tag ? add_joined(p, node, "[abi:") : 0;
		if (node)
			p->nodes[node].type = tag;
		node = node ? add_joined(p, node, "]") : 0;
	}
	return node;
}

/* ---- names ---- */

/* "T_", "T0_" */
uint16_t
pf_demangle_parameter(struct pf_mangled *p)
{
	size_t number;

	return take(p, "T") && read_sequence(p, &number) ? add_opaque(p) : 0;
}

/* What follows N, up to its E: every prefix of it may be repeated, the whole by those who take it for a type. */
static uint16_t
read_nested(struct pf_mangled *p)
{
	uint16_t node = 0, part;
	bool repeated = false;

	while (strchr("rVK", peek(p, 0)) && peek(p, 0))
		p->at++;
	if (peek(p, 0) == 'R' || peek(p, 0) == 'O')
		p->at++;
	while (!take(p, "E")) {
		repeated = false;
		if (take(p, "M")) /* what a member's initialiser has */
			continue;
		if (!node && take(p, "St")) {
			node = add_text(p, 0, "std");
			if (!node)
				return 0;
			continue;
		}
		if (!node && take(p, "S")) {
			part = pf_demangle_substitution(p);
			repeated = true;
		} else if (!node && peek(p, 0) == 'T') {
			part = pf_demangle_parameter(p);
		} else if (node && take(p, "I")) {
			part = pf_demangle_arguments(p) ? node : 0;
		} else {
			part = read_unqualified(p, node);
		}
		if (!part || (!repeated && !substitutable(p, part)))
			return 0;
		node = part;
	}
	/* The last prefix is the whole. */
	if (!node || repeated || !p->substitution_count)
		return 0;
	p->substitution_count--;
	return node;
}

/* "_3", "__12_": which of several of one name in a function. */
static bool
skip_discriminator(struct pf_mangled *p)
{
	uint32_t number;

	if (take(p, "__"))
		return read_number(p, &number) && take(p, "_");
	if (peek(p, 0) != '_' || !is_digit(peek(p, 1)))
		return true;
	p->at += 2;
	return true;
}

/* A copy of the chain of `inner` in `outer`: a function's lambda is "main::{lambda#1}". */
static uint16_t
place(struct pf_mangled *p, uint16_t inner, uint16_t outer)
{
	uint16_t chain[MOST_DEPTH], node = outer;
	size_t count = 0;

	for (; inner; inner = p->nodes[inner].parent) {
		if (count == MOST_DEPTH)
			return 0;
		chain[count++] = inner;
	}
	while (count-- > 0 && node) {
		struct pf_name_node copy = p->nodes[chain[count]];
		uint16_t parent = node;

		node = add_node(p, 0, "", 0);
		if (!node)
			return 0;
		copy.parent = parent;
		p->nodes[node] = copy;
	}
	return node;
}

/* What follows Z: something that is local to a function. */
static uint16_t
read_local(struct pf_mangled *p)
{
	uint16_t function = pf_demangle_encoding(p), inner;
	uint32_t number;

	if (!function || !take(p, "E"))
		return 0;
	if (take(p, "s"))
		return skip_discriminator(p) ? add_text(p, function, "{string literal}") : 0;
	if (take(p, "d")) { /* in a parameter's default */
		if (is_digit(peek(p, 0)) && !read_number(p, &number))
			return 0;
		if (!take(p, "_"))
			return 0;
	}
	inner = pf_demangle_name(p);
	return inner && skip_discriminator(p) ? place(p, inner, function) : 0;
}

static uint16_t
read_simple_name(struct pf_mangled *p)
{
	uint16_t node;
	bool repeated = false;

	if (take(p, "St")) {
		node = add_text(p, 0, "std");
		node = node ? read_unqualified(p, node) : 0;
	} else if (take(p, "S")) {
		node = pf_demangle_substitution(p);
		repeated = true;
	} else {
		node = read_unqualified(p, 0);
	}
	if (!node || peek(p, 0) != 'I')
		return repeated ? 0 : node; /* a type alone is pf_demangle_type()'s */
	return pf_demangle_instance(p, node, repeated);
}

uint16_t
pf_demangle_name(struct pf_mangled *p)
{
	uint16_t node = 0;

	if (++p->depth <= MOST_DEPTH)
		node = take(p, "N")   ? read_nested(p)
		       : take(p, "Z") ? read_local(p)
				      : read_simple_name(p);
	p->depth--;
	return node;
}

/* A function with its parameters, or an object. */
uint16_t
pf_demangle_encoding(struct pf_mangled *p)
{
	uint16_t node = pf_demangle_name(p);

	while (node && p->at < p->end && peek(p, 0) != 'E' && peek(p, 0) != '.') {
		if (!pf_demangle_type(p))
			return 0;
	}
	return node;
}
