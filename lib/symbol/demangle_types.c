/* demangle_types.c: types and template arguments, read for what they count as; see demangle_private.h. */
#include "symbol/demangle_private.h"

/* ---- template arguments ---- */

/* "Li5E", "LN4Mode4FastE1E", "L_Z3fooE": what stands for a value. */
static bool
read_literal(struct pf_mangled *p)
{
	if (take(p, "_Z"))
		return pf_demangle_encoding(p) && take(p, "E");
	if (!pf_demangle_type(p))
		return false;
	while (
	    is_digit(peek(p, 0)) || (peek(p, 0) >= 'a' && peek(p, 0) <= 'z') || peek(p, 0) == '_')
		p->at++;
	return take(p, "E");
}

/* What follows I, up to its E. */
bool
pf_demangle_arguments(struct pf_mangled *p)
{
	bool good = ++p->depth <= MOST_DEPTH;

	while (good && !take(p, "E")) {
		if (take(p, "J") || take(p, "I")) /* a pack */
			good = pf_demangle_arguments(p);
		else if (take(p, "L"))
			good = read_literal(p);
		else /* an expression, "X…E", is no type either */
			good = pf_demangle_type(p) != 0;
	}
	p->depth--;
	return good;
}

uint16_t
pf_demangle_instance(struct pf_mangled *p, uint16_t node, bool repeated)
{
	if (!repeated && !substitutable(p, node))
		return 0;
	return take(p, "I") && pf_demangle_arguments(p) ? node : 0;
}

/* ---- types ---- */

static uint16_t
read_builtin(struct pf_mangled *p)
{
	static const struct {
		char code[3];
		const char *name;
	} builtins[] = {{"v", "void"}, {"w", "wchar_t"}, {"b", "bool"}, {"c", "char"},
	    {"a", "signed char"}, {"h", "unsigned char"}, {"s", "short"}, {"t", "unsigned short"},
	    {"i", "int"}, {"j", "unsigned int"}, {"l", "long"}, {"m", "unsigned long"},
	    {"x", "long long"}, {"y", "unsigned long long"}, {"n", "__int128"},
	    {"o", "unsigned __int128"}, {"f", "float"}, {"d", "double"}, {"e", "long double"},
	    {"g", "__float128"}, {"z", "..."}, {"Dd", "decimal64"}, {"De", "decimal128"},
	    {"Df", "decimal32"}, {"Dh", "half"}, {"Di", "char32_t"}, {"Ds", "char16_t"},
	    {"Du", "char8_t"}, {"Da", "auto"}, {"Dc", "decltype(auto)"},
	    {"Dn", "decltype(nullptr)"}};
	uint32_t number;

	for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++) {
		if (take(p, builtins[i].code))
			return add_text(p, 0, builtins[i].name);
	}
	if (take(p, "DF")) /* "DF16_" */
		return read_number(p, &number) && take(p, "_") ? add_text(p, 0, "_Float") : 0;
	return 0;
}

/* "FivE", after F: what it returns and takes. */
static uint16_t
read_function_type(struct pf_mangled *p)
{
	take(p, "Y");
	while (!take(p, "E") && !take(p, "RE") && !take(p, "OE")) {
		if (!pf_demangle_type(p))
			return 0;
	}
	return add_opaque(p);
}

/* What follows D, of types: "Dp" an expansion, "Dv" a vector, "Do" a function that doesn't throw. */
static uint16_t
read_extended(struct pf_mangled *p)
{
	uint32_t number;

	if (take(p, "p"))
		return pf_demangle_type(p);
	if (take(p, "v"))
		return read_number(p, &number) && take(p, "_") && pf_demangle_type(p)
			   ? add_opaque(p)
			   : 0;
	if (take(p, "oF"))
		return read_function_type(p);
	return 0;
}

/* const, * and & on a type, and what else is made of one. */
static uint16_t
read_compound(struct pf_mangled *p)
{
	static const struct {
		char code;
		const char *text;
	} compounds[] = {{'P', "*"}, {'R', "&"}, {'O', "&&"}};
	uint32_t number;
	uint16_t inner;

	for (size_t i = 0; i < sizeof compounds / sizeof *compounds; i++) {
		if (peek(p, 0) != compounds[i].code)
			continue;
		p->at++;
		inner = pf_demangle_type(p);
		return inner ? add_joined(p, inner, compounds[i].text) : 0;
	}
	if (take(p, "C") || take(p, "G"))
		return pf_demangle_type(p) ? add_opaque(p) : 0;
	if (take(p, "F"))
		return read_function_type(p);
	if (take(p, "M")) { /* of a class, what is of this type */
		inner = pf_demangle_type(p);
		return inner && pf_demangle_type(p) ? add_opaque(p) : 0;
	}
	if (take(p, "A")) {
		if (is_digit(peek(p, 0)) && !read_number(p, &number))
			return 0;
		return take(p, "_") && pf_demangle_type(p) ? add_opaque(p) : 0;
	}
	return 0;
}

static uint16_t
read_qualified(struct pf_mangled *p)
{
	bool is_const = take(p, "K");
	uint16_t inner;

	while (!is_const && peek(p, 0) && strchr("rVK", peek(p, 0)))
		p->at++;
	inner = pf_demangle_type(p);
	if (!inner)
		return 0;
	return is_const ? add_joined(p, inner, " const") : add_opaque(p);
}

/* A class or an enumeration, or a substitution: *repeated says that it counts as nothing new. */
static uint16_t
read_class(struct pf_mangled *p, bool *repeated)
{
	uint16_t node;

	*repeated = false;
	if (peek(p, 0) == 'T' && (peek(p, 1) == 's' || peek(p, 1) == 'u' || peek(p, 1) == 'e')) {
		p->at += 2;
		return pf_demangle_name(p);
	}
	if (peek(p, 0) == 'T') {
		node = pf_demangle_parameter(p);
	} else if (peek(p, 0) == 'S' && peek(p, 1) != 't') {
		p->at++;
		node = pf_demangle_substitution(p);
		*repeated = true;
	} else {
		return pf_demangle_name(p);
	}
	if (!node || peek(p, 0) != 'I')
		return node;
	node = pf_demangle_instance(p, node, *repeated);
	*repeated = false;
	return node;
}

uint16_t
pf_demangle_type(struct pf_mangled *p)
{
	uint16_t node = 0;
	bool repeated = false;
	char c = peek(p, 0);

	if (++p->depth > MOST_DEPTH || !c)
		node = 0;
	else if (c == 'D' || (c >= 'a' && c <= 'z' && c != 'r' && c != 'u')) {
		node = read_builtin(p);
		repeated = node != 0;
		if (!node && take(p, "D"))
			node = read_extended(p);
	} else if (strchr("rVK", c))
		node = read_qualified(p);
	else if (strchr("PROCGFMA", c))
		node = read_compound(p);
	else if (take(p, "u"))
		node = pf_demangle_source_name(p, 0);
	else if (is_digit(c) || strchr("NZST", c))
		node = read_class(p, &repeated);
	p->depth--;
	return repeated ? node : substitutable(p, node);
}
