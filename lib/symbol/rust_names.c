/* rust_names.c: paths, and constants among their arguments; see rust_names.h and rust_private.h. */
#include "symbol/rust_names.h"

#include "symbol/demangle.h"
#include "symbol/rust_private.h"

enum { MOST_HEX_DIGITS = 32 };

/* Where a block of an implementation stands: of no interest. */
static void
skip_implementation(struct pf_rust_reader *p)
{
	read_tagged(p, 's');
	skip(p, pf_rust_path);
}

/* "<T as Trait>" */
static void
read_qualified(struct pf_rust_reader *p)
{
	put_text(p, "<");
	pf_rust_type(p);
	put_text(p, " as ");
	pf_rust_path(p);
	put_text(p, ">");
}

/* "parent::name", "parent::{closure#0}", "parent::{shim:vtable#0}" */
static void
read_nested(struct pf_rust_reader *p)
{
	char space[2] = {next(p)};
	bool special = space[0] >= 'A' && space[0] <= 'Z';
	uint64_t number;
	struct pf_rust_identifier id;

	if (!special && (space[0] < 'a' || space[0] > 'z'))
		fail(p);
	pf_rust_path(p);
	number = read_tagged(p, 's');
	id = pf_rust_identifier(p);
	if (!special) {
		put_text(p, id.size ? "::" : "");
		pf_rust_put_identifier(p, id);
		return;
	}
	put_text(p, "::{");
	put_text(p, *space == 'C' ? "closure" : *space == 'S' ? "shim" : space);
	put_text(p, id.size ? ":" : "");
	pf_rust_put_identifier(p, id);
	put_text(p, "#");
	put_number(p, number);
	put_text(p, "}");
}

/* Generic arguments up to their E: lifetimes, constants and types. */
static void
read_arguments(struct pf_rust_reader *p)
{
	while (has_more(p)) {
		if (take(p, 'L'))
			read_base62(p);
		else if (take(p, 'K'))
			pf_rust_const(p);
		else
			pf_rust_type(p);
	}
}

void
pf_rust_path(struct pf_rust_reader *p)
{
	if (!enter(p))
		return;
	switch (next(p)) {
	case 'C': /* a crate */
		read_tagged(p, 's');
		pf_rust_put_identifier(p, pf_rust_identifier(p));
		break;
	case 'M':
		skip_implementation(p);
		put_text(p, "<");
		pf_rust_type(p);
		put_text(p, ">");
		break;
	case 'X':
		skip_implementation(p);
		read_qualified(p);
		break;
	case 'Y':
		read_qualified(p);
		break;
	case 'N':
		read_nested(p);
		break;
	case 'I':
		pf_rust_path(p);
		skip(p, read_arguments);
		break;
	case 'B':
		follow(p, pf_rust_path);
		break;
	default:
		fail(p);
	}
	p->depth--;
}

/* ---- constants ---- */

/* "1f_", "n1_" for -1: in decimal, but for those of more than 64 bits. */
static void
read_integer(struct pf_rust_reader *p)
{
	const char *digits;
	uint64_t value = 0;
	size_t count;

	if (take(p, 'n'))
		put_text(p, "-");
	digits = p->at;
	for (char c = next(p); c != '_'; c = next(p)) {
		if (digit_of(c) < 0 || digit_of(c) > 15 || p->at - digits > MOST_HEX_DIGITS) {
			fail(p);
			return;
		}
		value = value << 4 | (uint64_t)digit_of(c);
	}
	count = (size_t)(p->at - digits) - 1;
	if (!count) {
		fail(p);
	} else if (count > 16) {
		put_text(p, "0x");
		put(p, digits, count);
	} else {
		put_number(p, value);
	}
}

/* A string's bytes. */
static void
skip_string(struct pf_rust_reader *p)
{
	while (!p->failed && next(p) != '_') {
		if (!p->allowance)
			fail(p);
		else
			p->allowance--;
	}
}

/* "NtC3foo3BarS1ai1_E": of a structure or an enumeration, with its fields in order or by name. */
static void
skip_fields(struct pf_rust_reader *p)
{
	char shape;

	pf_rust_path(p);
	shape = next(p);
	if (shape != 'U' && shape != 'T' && shape != 'S')
		fail(p);
	while (shape != 'U' && has_more(p)) {
		if (shape == 'S') {
			read_tagged(p, 's');
			pf_rust_identifier(p);
		}
		pf_rust_const(p);
	}
}

/* Only integers are lengths of arrays: all else stands in generic arguments. */
static void
skip_value(struct pf_rust_reader *p, char kind)
{
	if (!p->silent || p->failed) {
		fail(p);
		return;
	}
	switch (kind) {
	case 'b':
	case 'c':
		read_integer(p);
		break;
	case 'e':
		skip_string(p);
		break;
	case 'R':
	case 'Q':
		pf_rust_const(p);
		break;
	case 'A':
	case 'T':
		while (has_more(p))
			pf_rust_const(p);
		break;
	case 'V':
		skip_fields(p);
		break;
	default:
		fail(p);
	}
}

void
pf_rust_const(struct pf_rust_reader *p)
{
	char kind;

	if (!enter(p))
		return;
	kind = next(p);
	if (kind == 'p')
		put_text(p, "_");
	else if (kind == 'B')
		follow(p, pf_rust_const);
	else if (kind && strchr("aslxnihtmyoj", kind))
		read_integer(p);
	else
		skip_value(p, kind);
	p->depth--;
}

bool
pf_rust_name(const char *mangled, struct pf_name_text *t)
{
	size_t size = strcspn(mangled, ".");
	struct pf_rust_reader p = {.begin = mangled,
	    .at = mangled,
	    .end = mangled + size,
	    .text = t,
	    .allowance = size + (size_t)16 * PF_DEMANGLED_ROOM};

	pf_rust_path(&p);
	if (!p.failed && p.at < p.end) /* the crate that an instance was made for */
		skip(&p, pf_rust_path);
	return !p.failed && p.at == p.end && t->size;
}
