/* rust_types.c: types, where they are a part of a name: "<[u8]>::to_vec"; see rust_private.h. */
#include "symbol/rust_private.h"

/* The number counts from the innermost that is bound. */
static void
put_lifetime(struct pf_rust_reader *p, uint64_t number)
{
	char letter;
	uint64_t index = p->lifetimes - number;

	if (p->silent)
		return;
	if (number > p->lifetimes) {
		fail(p);
		return;
	}
	letter = !number ? '_' : index < 26 ? (char)('a' + index) : 'z';
	put_text(p, "'");
	put(p, &letter, 1);
	if (number && index >= 26)
		put_number(p, index - 25);
}

/* "for<'a, 'b> " */
static void
read_binder(struct pf_rust_reader *p)
{
	uint64_t count = read_tagged(p, 'G');

	/* Each is named by a byte at least. */
	if (count > (uint64_t)(p->end - p->begin) - p->lifetimes) {
		fail(p);
		return;
	}
	if (!count)
		return;
	put_text(p, "for<");
	for (uint64_t i = 0; i < count && !p->silent && !p->failed; i++) {
		p->lifetimes++;
		put_text(p, i ? ", " : "");
		put_lifetime(p, 1);
	}
	put_text(p, "> ");
}

/* The name of an ABI has _ for -: "system-unwind". */
static void
read_abi(struct pf_rust_reader *p)
{
	struct pf_rust_identifier id = {.text = "C", .size = 1};

	if (!take(p, 'C'))
		id = pf_rust_identifier(p);
	if (id.encoded)
		fail(p);
	put_text(p, "extern \"");
	for (size_t i = 0; i < id.size && !p->failed && !p->silent; i++) {
		if (id.text[i] == '_')
			put_text(p, "-");
		else
			pf_rust_put_identifier(
			    p, (struct pf_rust_identifier){.text = id.text + i, .size = 1});
	}
	put_text(p, "\" ");
}

/* Types up to an E; how many. */
static size_t
read_list(struct pf_rust_reader *p)
{
	size_t count = 0;

	for (; has_more(p); count++) {
		put_text(p, count ? ", " : "");
		pf_rust_type(p);
	}
	return count;
}

/* "unsafe extern "C" fn(i32) -> bool" */
static void
read_function(struct pf_rust_reader *p)
{
	uint64_t lifetimes = p->lifetimes;

	read_binder(p);
	if (take(p, 'U'))
		put_text(p, "unsafe ");
	if (take(p, 'K'))
		read_abi(p);
	put_text(p, "fn(");
	read_list(p);
	put_text(p, ")");
	if (!take(p, 'u')) { /* () */
		put_text(p, " -> ");
		pf_rust_type(p);
	}
	p->lifetimes = lifetimes;
}

/* "dyn Trait + Send + 'a": what a trait's own types are is as its arguments. */
static void
read_dyn(struct pf_rust_reader *p)
{
	uint64_t lifetimes = p->lifetimes, lifetime;

	put_text(p, "dyn ");
	read_binder(p);
	for (bool first = true; has_more(p); first = false) {
		put_text(p, first ? "" : " + ");
		pf_rust_path(p);
		while (take(p, 'p')) {
			pf_rust_identifier(p);
			skip(p, pf_rust_type);
		}
	}
	p->lifetimes = lifetimes;
	if (!take(p, 'L'))
		fail(p);
	lifetime = read_base62(p);
	if (lifetime) {
		put_text(p, " + ");
		put_lifetime(p, lifetime);
	}
}

static void
read_tuple(struct pf_rust_reader *p)
{
	put_text(p, "(");
	put_text(p, read_list(p) == 1 ? ",)" : ")");
}

static void
read_reference(struct pf_rust_reader *p, const char *mutable)
{
	uint64_t lifetime;

	put_text(p, "&");
	lifetime = take(p, 'L') ? read_base62(p) : 0;
	if (lifetime) {
		put_lifetime(p, lifetime);
		put_text(p, " ");
	}
	put_text(p, mutable);
	pf_rust_type(p);
}

static void
read_array(struct pf_rust_reader *p, bool sized)
{
	put_text(p, "[");
	pf_rust_type(p);
	if (sized) {
		put_text(p, "; ");
		pf_rust_const(p);
	}
	put_text(p, "]");
}

static void
read_pointer(struct pf_rust_reader *p, const char *text)
{
	put_text(p, text);
	pf_rust_type(p);
}

static const char *
primitive(char letter)
{
	static const char *const names[] = {"i8", "bool", "char", "f64", "str", "f32", NULL, "u8",
	    "isize", "usize", NULL, "i32", "u32", "i128", "u128", "_", NULL, NULL, "i16", "u16",
	    "()", "...", NULL, "i64", "u64", "!"};

	return letter >= 'a' && letter <= 'z' ? names[letter - 'a'] : NULL;
}

void
pf_rust_type(struct pf_rust_reader *p)
{
	char letter;

	if (!enter(p))
		return;
	letter = next(p);
	switch (letter) {
	case 'A':
	case 'S':
		read_array(p, letter == 'A');
		break;
	case 'T':
		read_tuple(p);
		break;
	case 'R':
		read_reference(p, "");
		break;
	case 'Q':
		read_reference(p, "mut ");
		break;
	case 'P':
		read_pointer(p, "*const ");
		break;
	case 'O':
		read_pointer(p, "*mut ");
		break;
	case 'F':
		read_function(p);
		break;
	case 'D':
		read_dyn(p);
		break;
	case 'B':
		follow(p, pf_rust_type);
		break;
	default:
		if (primitive(letter)) {
			put_text(p, primitive(letter));
		} else if (!p->failed) {
			p->at--;
			pf_rust_path(p);
		}
	}
	p->depth--;
}
