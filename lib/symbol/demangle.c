/* demangle.c: see demangle.h. */
#include "symbol/demangle.h"

#include <stdio.h>
#include <string.h>

#include "symbol/demangle_private.h"
#include "symbol/name_text.h"
#include "symbol/rust_legacy.h"
#include "symbol/rust_names.h"

/* Every node writes something, so that the room bounds the time, however often one is repeated. */
static void
write_node(struct pf_name_text *w, const struct pf_mangled *p, uint16_t node, int depth)
{
	uint16_t chain[PF_DEMANGLED_ROOM];
	size_t count = 0;

	for (; node; node = p->nodes[node].parent) {
		if (count == PF_DEMANGLED_ROOM || depth > 4) {
			w->failed = true;
			return;
		}
		chain[count++] = node;
	}
	for (bool first = true; count-- > 0 && !w->failed; first = false) {
		const struct pf_name_node *n = &p->nodes[chain[count]];
		char number[16];

		if (n->opaque)
			w->failed = true;
		if (!first && !n->joined)
			pf_name_put(w, "::", 2);
		pf_name_put(w, n->text, n->size);
		if (n->number)
			pf_name_put(w, number,
			    (size_t)snprintf(number, sizeof number, "%u}", (unsigned)n->number));
		if (n->type)
			write_node(w, p, n->type, depth + 1);
	}
}

/* What a compiler made of the function: "foo [clone .cold]". */
static void
write_clone(struct pf_name_text *w, const char *rest)
{
	const char *clone = strchr(rest, '.'), *unique = clone ? strstr(clone, ".__uniq.") : NULL;

	if (!clone || clone == unique)
		return;
	pf_name_put(w, " [clone ", 8);
	pf_name_put(w, clone, unique ? (size_t)(unique - clone) : strlen(clone));
	pf_name_put(w, "]", 1);
}

/* "_ZThn16_N…": adjusts this, or what is returned, and goes on. */
static bool
skip_thunk(struct pf_mangled *p, const char **what)
{
	int offsets = take(p, "Tv") ? 2 : take(p, "Th") ? 1 : 0;
	uint32_t number;

	*what = offsets == 2 ? "virtual thunk to " : offsets ? "non-virtual thunk to " : "";
	for (; offsets > 0; offsets--) {
		take(p, "n");
		if (!read_number(p, &number) || !take(p, "_"))
			return false;
	}
	return true;
}

static bool
write_cpp(struct pf_name_text *w, const char *name)
{
	struct pf_mangled p;
	const char *what;
	uint16_t node;

	p.at = name + 2;
	p.end = p.at + strlen(p.at);
	p.nodes[0] = (struct pf_name_node){.text = ""};
	p.node_count = 1;
	p.substitution_count = 0;
	p.depth = 0;
	if (!skip_thunk(&p, &what))
		return false;
	node = pf_demangle_name(&p);
	if (!node)
		return false;
	pf_name_put(w, what, strlen(what));
	write_node(w, &p, node, 0);
	write_clone(w, p.at);
	return !w->failed;
}

static bool
write_rust(struct pf_name_text *w, const char *name)
{
	if (!pf_rust_name(name + 2, w))
		return false;
	write_clone(w, name);
	return !w->failed;
}

/* Names of Rust's older scheme look like C++'s, but for their escapes and the hash at the end. */
static bool
is_rust_legacy(const char *name)
{
	for (const char *hash = name; (hash = strstr(hash, "17h")); hash++) {
		if (strspn(hash + 3, "0123456789abcdef") == 16 && hash[19] == 'E')
			return true;
	}
	return false;
}

static bool
write_rust_legacy(struct pf_name_text *w, const char *name)
{
	const char *end;

	if (!pf_rust_legacy_name(name, &end, w))
		return false;
	write_clone(w, end);
	return !w->failed;
}

bool
pf_demangle(const char *name, char *out, size_t size)
{
	char text[PF_DEMANGLED_ROOM];
	struct pf_name_text w = {.out = text, .room = size < sizeof text ? size : sizeof text};
	bool known = false;

	if (size && strncmp(name, "_Z", 2) == 0)
		known = is_rust_legacy(name) ? write_rust_legacy(&w, name) : write_cpp(&w, name);
	else if (size && strncmp(name, "_R", 2) == 0)
		known = write_rust(&w, name);
	if (!known)
		return false;
	memcpy(out, text, w.size);
	out[w.size] = '\0';
	return true;
}

const char *
pf_readable_name(const char *name, char room[PF_DEMANGLED_ROOM])
{
	return pf_demangle(name, room, PF_DEMANGLED_ROOM) ? room : name;
}
