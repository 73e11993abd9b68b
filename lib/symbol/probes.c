/* probes.c: see probes.h. */
#include "symbol/probes.h"

#include <stdlib.h>
#include <string.h>

#include "core/cursor.h"
#include "core/error.h"
#include "core/index.h"
#include "core/md5.h"
#include "core/memory.h"
#include "core/search.h"
#include "symbol/binary_private.h"

enum {
	MOST_DEPTH = 400, /* of inlining in a section; recursion here is bounded by it */

	KIND = 0x0f,
	IS_DELTA = 0x80,
	IS_SENTINEL = 0x20,
	HAS_DISCRIMINATOR = 0x40,
};

/* A function symbol by the hash of its name. */
struct hashed_symbol {
	uint64_t guid, start, end;
};

/* One body on the way down the tree; it becomes a node with its first probe that is kept. */
struct level {
	uint64_t guid, site;
	uint32_t node;
	bool unknown; /* no descriptor names it */
};

struct reader {
	struct pf_probes *out;
	struct level levels[MOST_DEPTH + 1];
	struct pf_cursor in;
	struct hashed_symbol *symbols; /* by guid */
	size_t symbol_count, symbol_capacity;
	bool (*wanted)(const void *context, uint64_t start);
	const void *context;
	const struct pf_binary *binary;
	uint64_t address;              /* of the last probe */
	uint64_t body_start, body_end; /* the symbol whose code is being described; 0, 0: none */
	struct pf_error *err;
};

/* Of the binary, or of the file that its debug information was moved to. */
static struct pf_bytes
find_section(const struct pf_binary *binary, const char *name)
{
	Elf64_Shdr header;

	if (pf_elf_named(&binary->main, name, &header))
		return pf_elf_bytes(&binary->main, &header);
	if (binary->debug.image && pf_elf_named(&binary->debug, name, &header))
		return pf_elf_bytes(&binary->debug, &header);
	return (struct pf_bytes){0};
}

bool
pf_probes_present(const struct pf_binary *binary)
{
	return find_section(binary, ".pseudo_probe").size &&
	       find_section(binary, ".pseudo_probe_desc").size;
}

void
pf_probes_release(struct pf_probes *p)
{
	free(p->items);
	free(p->nodes);
	free(p->functions);
	free(p->names);
	*p = (struct pf_probes){0};
}

static int
by_guid(const void *left, const void *right)
{
	const struct pf_probe_function *a = left, *b = right;

	return (a->guid > b->guid) - (a->guid < b->guid);
}

static int
symbol_by_guid(const void *left, const void *right)
{
	const struct hashed_symbol *a = left, *b = right;

	if (a->guid != b->guid)
		return a->guid < b->guid ? -1 : 1;
	return (a->start > b->start) - (a->start < b->start);
}

/* Several units describe one inline function alike: the first stays. */
static void
keep_distinct(struct pf_probes *p)
{
	size_t kept = 0;

	if (p->function_count)
		qsort(p->functions, p->function_count, sizeof *p->functions, by_guid);
	for (size_t i = 0; i < p->function_count; i++) {
		if (!kept || p->functions[kept - 1].guid != p->functions[i].guid)
			p->functions[kept++] = p->functions[i];
	}
	p->function_count = kept;
}

static int
read_descriptors(struct pf_probes *out, struct pf_bytes data, struct pf_error *err)
{
	struct pf_cursor c;
	int rc = PF_GROW(out->names, out->name_capacity, data.size, err);

	pf_cursor_init(&c, ".pseudo_probe_desc", data.at, data.size);
	while (!rc && pf_cursor_more(&c)) {
		struct pf_probe_function f = {0};
		uint64_t size;
		const uint8_t *name;

		f.guid = pf_cursor_u64(&c);
		f.checksum = pf_cursor_u64(&c);
		size = pf_cursor_varint(&c);
		name = c.at;
		pf_cursor_skip(&c, size);
		if (c.failure)
			break;
		/* the number before a name took more room than the NUL behind it does */
		f.name = out->names + out->name_size;
		memcpy(out->names + out->name_size, name, size);
		out->names[out->name_size + size] = '\0';
		out->name_size += size + 1;
		rc = PF_GROW(out->functions, out->function_capacity, out->function_count + 1, err);
		if (!rc)
			out->functions[out->function_count++] = f;
	}
	if (!rc)
		rc = pf_cursor_check(&c, err);
	if (!rc)
		keep_distinct(out);
	return rc;
}

/* A function symbol's hash; every name counts, aliases too: probes are named after one of them. */
static int
add_symbol(struct reader *r, const Elf64_Sym *symbol, const char *name)
{
	int type = ELF64_ST_TYPE(symbol->st_info);

	if (symbol->st_shndx == SHN_UNDEF || (type != STT_FUNC && type != STT_GNU_IFUNC) ||
	    symbol->st_size > UINT64_MAX - symbol->st_value ||
	    !pf_binary_executable(r->binary, symbol->st_value) || !name || !*name)
		return 0;
	if (PF_GROW(r->symbols, r->symbol_capacity, r->symbol_count + 1, r->err))
		return PF_ENOMEM;
	r->symbols[r->symbol_count++] = (struct hashed_symbol){
	    pf_md5_low64(name, strlen(name)), symbol->st_value, symbol->st_value + symbol->st_size};
	return 0;
}

static int
hash_symbols(struct reader *r, const struct pf_elf *file)
{
	struct pf_bytes data, names = {0};
	Elf64_Shdr table, strings;
	Elf64_Sym symbol;
	int rc = 0;

	if (!file->image || !pf_elf_typed(file, SHT_SYMTAB, &table) ||
	    table.sh_entsize != sizeof symbol)
		return 0;
	data = pf_elf_bytes(file, &table);
	if (pf_elf_section(file, table.sh_link, &strings))
		names = pf_elf_bytes(file, &strings);
	for (size_t at = 0; !rc && data.size - at >= sizeof symbol; at += sizeof symbol) {
		memcpy(&symbol, data.at + at, sizeof symbol);
		rc = add_symbol(r, &symbol, pf_bytes_string(names, symbol.st_name));
	}
	return rc;
}

static int
load_symbols(struct reader *r)
{
	int rc = hash_symbols(r, &r->binary->main);

	if (!rc && !r->symbol_count)
		rc = hash_symbols(r, &r->binary->debug);
	if (!rc && r->symbol_count)
		qsort(r->symbols, r->symbol_count, sizeof *r->symbols, symbol_by_guid);
	return rc;
}

static const struct hashed_symbol *
symbol_of(const struct reader *r, uint64_t guid)
{
	size_t low = PF_LOWER_BOUND(r->symbols, r->symbol_count, guid, guid);

	return low < r->symbol_count && r->symbols[low].guid == guid ? &r->symbols[low] : NULL;
}

static uint32_t
function_of(const struct pf_probes *p, uint64_t guid)
{
	struct pf_probe_function key = {.guid = guid}, *found;

	if (!p->function_count)
		return PF_NONE;
	found = bsearch(&key, p->functions, p->function_count, sizeof key, by_guid);
	return found ? (uint32_t)(found - p->functions) : PF_NONE;
}

/* From here on the code of this symbol is described. */
static void
enter_symbol(struct reader *r, uint64_t guid)
{
	const struct hashed_symbol *symbol = symbol_of(r, guid);

	r->body_start = symbol ? symbol->start : 0;
	r->body_end = symbol ? symbol->end : 0;
	if (symbol)
		r->address = symbol->start;
}

/* The same by an address in it, as the older encoding has it. */
static void
enter_address(struct reader *r, uint64_t address)
{
	const struct pf_symbol *symbol = pf_binary_symbol_at(r->binary, address);

	r->body_start = symbol ? symbol->start : 0;
	r->body_end = symbol ? symbol->end : 0;
	r->address = address;
}

/* Whether a probe of this body is to be kept: a function that is wanted, and inside of it. */
static bool
is_kept(struct reader *r)
{
	return r->address >= r->body_start && r->address < r->body_end &&
	       r->wanted(r->context, r->body_start);
}

/* A signed LEB128: how far a probe stands from the one before. */
static uint64_t
read_step(struct pf_cursor *in)
{
	uint64_t bits = 0;
	unsigned shift = 0;
	uint8_t byte = 0x80;

	while (byte & 0x80 && shift < 64 && pf_cursor_more(in)) {
		byte = *in->at;
		bits |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
		pf_cursor_skip(in, 1);
	}
	if (shift < 64 && byte & 0x40)
		bits |= ~UINT64_C(0) << shift;
	return bits;
}

static int
add_node(struct reader *r, uint32_t depth)
{
	struct pf_probes *p = r->out;
	struct level *l = &r->levels[depth];
	uint32_t function = function_of(p, l->guid);
	uint32_t parent = depth ? r->levels[depth - 1].node : PF_NONE;
	int rc;

	l->unknown = function == PF_NONE || l->site > UINT32_MAX;
	if (l->unknown)
		return 0;
	rc = PF_GROW(p->nodes, p->node_capacity, p->node_count + 1, r->err);
	if (rc)
		return rc;
	l->node = (uint32_t)p->node_count;
	p->nodes[p->node_count++] =
	    (struct pf_probe_node){parent, function, (uint32_t)l->site, depth};
	return 0;
}

/* The node of the body at this depth; PF_NONE where nothing names it or one that it was inlined into. */
static int
node_at(struct reader *r, uint32_t depth, uint32_t *node)
{
	int rc = 0;

	*node = PF_NONE;
	for (uint32_t i = 0; !rc && i <= depth; i++) {
		if (r->levels[i].node == PF_NONE && !r->levels[i].unknown)
			rc = add_node(r, i);
		if (rc || r->levels[i].unknown)
			return rc;
	}
	*node = r->levels[depth].node;
	return rc;
}

static int
read_probe(struct reader *r, uint32_t depth)
{
	uint64_t index = pf_cursor_varint(&r->in);
	uint8_t flags = r->in.at < r->in.end ? *r->in.at : 0;
	uint32_t node;
	int rc;

	pf_cursor_skip(&r->in, 1);
	if (flags & IS_DELTA) {
		r->address += read_step(&r->in);
	} else if (flags & IS_SENTINEL) {
		enter_symbol(r, pf_cursor_u64(&r->in));
		return 0;
	} else {
		enter_address(r, pf_cursor_u64(&r->in));
	}
	if (flags & HAS_DISCRIMINATOR)
		pf_cursor_varint(&r->in);
	if (r->in.failure || !is_kept(r) || index > UINT32_MAX || (flags & KIND) > PF_PROBE_CALL)
		return 0;
	rc = node_at(r, depth, &node);
	if (rc || node == PF_NONE)
		return rc;
	rc = PF_GROW(r->out->items, r->out->capacity, r->out->count + 1, r->err);
	if (!rc)
		r->out->items[r->out->count++] = (struct pf_probe){
		    r->address, (uint32_t)index, node, (enum pf_probe_kind)(flags & KIND)};
	return rc;
}

static int
read_body(struct reader *r, uint32_t depth)
{
	uint64_t site = depth ? pf_cursor_varint(&r->in) : 0, guid = pf_cursor_u64(&r->in);
	uint64_t probes = pf_cursor_varint(&r->in), inlined = pf_cursor_varint(&r->in);
	int rc = 0;

	if (depth > MOST_DEPTH) {
		pf_cursor_fail(&r->in, "functions inlined over 400 deep");
		return 0;
	}
	r->levels[depth] = (struct level){.guid = guid, .site = site, .node = PF_NONE};
	if (!depth)
		enter_symbol(r, guid);
	for (uint64_t i = 0; !rc && i < probes && !r->in.failure; i++)
		rc = read_probe(r, depth);
	for (uint64_t i = 0; !rc && i < inlined && !r->in.failure; i++)
		rc = read_body(r, depth + 1);
	return rc;
}

/* The section's order breaks ties, so that reading the same file gives the same. */
static int
by_address(const void *left, const void *right)
{
	const struct pf_probe *a = left, *b = right;

	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	if (a->node != b->node)
		return a->node < b->node ? -1 : 1;
	return (a->index > b->index) - (a->index < b->index);
}

int
pf_probes_read(struct pf_probes *out, const struct pf_binary *binary,
    bool (*wanted)(const void *context, uint64_t start), const void *context, struct pf_error *err)
{
	struct reader r = {
	    .out = out, .binary = binary, .wanted = wanted, .context = context, .err = err};
	struct pf_bytes data = find_section(binary, ".pseudo_probe");
	struct pf_bytes descriptors = find_section(binary, ".pseudo_probe_desc");
	int rc;

	*out = (struct pf_probes){0};
	if (!data.size || !descriptors.size)
		return 0;
	rc = read_descriptors(out, descriptors, err);
	if (!rc)
		rc = load_symbols(&r);
	pf_cursor_init(&r.in, ".pseudo_probe", data.at, data.size);
	while (!rc && pf_cursor_more(&r.in))
		rc = read_body(&r, 0);
	if (!rc)
		rc = pf_cursor_check(&r.in, err);
	if (!rc && out->count)
		qsort(out->items, out->count, sizeof *out->items, by_address);
	free(r.symbols);
	return rc;
}
