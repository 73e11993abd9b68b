/*
 * llvm_extbinary.c: the extensible binary form of an LLVM sample profile.
 *
 * Magic, version and a header with one entry a section; readers take the
 * sections in header order and skip empty ones. The offset table stands before
 * the profiles in the header but after them in the file, because it is made
 * while they are written. clang loads functions only through that table.
 */
#include <stdlib.h>
#include <string.h>

#include "convert/llvm.h"
#include "convert/summary.h"
#include "core/error.h"
#include "core/gzip.h"
#include "core/md5.h"
#include "core/memory.h"
#include "symbol/binary.h"

#define MAGIC ((uint64_t)0x5350524f46343204) /* "SPROF42" and the kind, 4: extbinary */

enum {
	VERSION = 103,
	ZLIB_LEVEL = 9,

	SECTION_SUMMARY = 0,
	SECTION_NAMES,
	SECTION_CONTEXT_NAMES,
	SECTION_OFFSETS,
	SECTION_PROFILES,
	SECTION_SYMBOLS,
	SECTION_METADATA,
	SECTIONS,

	FLAG_COMPRESSED = 1,
};

#define FLAG_FIXED_MD5 ((uint64_t)(1 | 2) << 32) /* names: hashes of a fixed eight bytes each */
#define FLAG_UNIQUE_NAMES ((uint64_t)4 << 32)    /* names: some have ".__uniq." */
#define FLAG_PROBES ((uint64_t)1 << 32)          /* metadata: places are probes */

/* LLVM's number of each section, in header order. */
static const uint64_t section_types[SECTIONS] = {1, 2, 6, 4, 32, 3, 5};
/* The order in the file. */
static const int file_order[SECTIONS] = {SECTION_SUMMARY, SECTION_NAMES, SECTION_CONTEXT_NAMES,
    SECTION_PROFILES, SECTION_SYMBOLS, SECTION_OFFSETS, SECTION_METADATA};

struct writer {
	const struct pf_functions *f;
	const struct pf_llvm_options *options;
	uint32_t *ranks; /* by string: its position in the name table */
	uint32_t *names; /* strings used, in table order */
	size_t name_count;
	struct pf_buffer sections[SECTIONS];
	uint64_t flags[SECTIONS];
};

struct name_key {
	const char *name;
	uint32_t id;
};

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct name_key *)a)->name, ((const struct name_key *)b)->name);
}

static void
put_u64(struct pf_buffer *b, uint64_t value)
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(value >> 8 * i);
	pf_buffer_add(b, bytes, sizeof bytes);
}

static void
mark_used(struct writer *w)
{
	for (size_t i = 0; i < w->f->node_count; i++)
		w->ranks[w->f->nodes[i].name] = 1;
	for (size_t i = 0; i < w->f->target_count; i++)
		w->ranks[w->f->targets[i].name] = 1;
}

/* The table of used names, sorted, and each name's place in it. */
static int
rank_names(struct writer *w, struct pf_error *err)
{
	struct name_key *keys = NULL;
	int rc = PF_CALLOC(w->ranks, w->f->names.count, err);

	if (!rc)
		rc = PF_CALLOC(w->names, w->f->names.count, err);
	if (!rc)
		rc = PF_CALLOC(keys, w->f->names.count, err);
	if (rc)
		return rc;
	mark_used(w);
	for (uint32_t id = 0; id < w->f->names.count; id++) {
		if (w->ranks[id])
			keys[w->name_count++] =
			    (struct name_key){pf_strings_get(&w->f->names, id), id};
	}
	if (w->name_count)
		qsort(keys, w->name_count, sizeof *keys, by_name);
	for (size_t i = 0; i < w->name_count; i++) {
		w->names[i] = keys[i].id;
		w->ranks[keys[i].id] = (uint32_t)i;
	}
	free(keys);
	return 0;
}

static void
write_names(struct writer *w)
{
	struct pf_buffer *out = &w->sections[SECTION_NAMES];

	pf_buffer_uleb(out, w->name_count);
	for (size_t i = 0; i < w->name_count; i++) {
		const char *name = pf_strings_get(&w->f->names, w->names[i]);
		size_t size = strlen(name);

		if (pf_unique_suffix(name))
			w->flags[SECTION_NAMES] |= FLAG_UNIQUE_NAMES;
		if (w->options->md5)
			put_u64(out, pf_md5_low64(name, size));
		else
			pf_buffer_add(out, name, size + 1);
	}
	if (w->options->md5)
		w->flags[SECTION_NAMES] |= FLAG_FIXED_MD5;
}

static int
write_summary(struct writer *w, struct pf_error *err)
{
	struct pf_buffer *out = &w->sections[SECTION_SUMMARY];
	struct pf_summary s;
	int rc = pf_summary_build(&s, w->f, err);

	if (rc)
		return rc;
	pf_buffer_uleb(out, s.total);
	pf_buffer_uleb(out, s.maximum_count);
	pf_buffer_uleb(out, s.maximum_head);
	pf_buffer_uleb(out, s.count_number);
	pf_buffer_uleb(out, s.function_number);
	pf_buffer_uleb(out, PF_SUMMARY_CUTOFFS);
	for (size_t i = 0; i < PF_SUMMARY_CUTOFFS; i++) {
		pf_buffer_uleb(out, s.entries[i].cutoff);
		pf_buffer_uleb(out, s.entries[i].minimum_count);
		pf_buffer_uleb(out, s.entries[i].count_number);
	}
	return 0;
}

static void
write_place(struct pf_buffer *out, struct pf_place place)
{
	pf_buffer_uleb(out, place.offset);
	pf_buffer_uleb(out, place.discriminator);
}

/* One function without its head. Recursion is bounded by PF_INLINE_MAX_DEPTH. */
static void
write_node(struct writer *w, uint32_t node)
{
	struct pf_buffer *out = &w->sections[SECTION_PROFILES];
	const struct pf_functions *f = w->f;
	const struct pf_function_node *n = &f->nodes[node];

	pf_buffer_uleb(out, w->ranks[n->name]);
	pf_buffer_uleb(out, n->total);
	pf_buffer_uleb(out, n->body_count);
	for (uint32_t i = 0; i < n->body_count; i++) {
		const struct pf_body *b = &f->bodies[n->first_body + i];

		write_place(out, b->place);
		pf_buffer_uleb(out, b->count);
		pf_buffer_uleb(out, b->target_count);
		for (uint32_t t = 0; t < b->target_count; t++) {
			pf_buffer_uleb(out, w->ranks[f->targets[b->first_target + t].name]);
			pf_buffer_uleb(out, f->targets[b->first_target + t].count);
		}
	}
	pf_buffer_uleb(out, n->child_count);
	for (uint32_t i = 0; i < n->child_count; i++) {
		uint32_t child = f->children[n->first_child + i];

		write_place(out, f->nodes[child].site);
		write_node(w, child);
	}
}

static void
write_profiles(struct writer *w)
{
	struct pf_buffer *out = &w->sections[SECTION_PROFILES],
			 *offsets = &w->sections[SECTION_OFFSETS];

	pf_buffer_uleb(offsets, w->f->root_count);
	for (size_t i = 0; i < w->f->root_count; i++) {
		const struct pf_function_node *n = &w->f->nodes[w->f->children[i]];

		pf_buffer_uleb(offsets, w->ranks[n->name]);
		pf_buffer_uleb(offsets, out->size);
		pf_buffer_uleb(out, n->head);
		write_node(w, w->f->children[i]);
	}
}

/* Checksums, in the order and nesting of the profiles. */
static void
write_checksums(struct writer *w, uint32_t node)
{
	struct pf_buffer *out = &w->sections[SECTION_METADATA];
	const struct pf_functions *f = w->f;
	const struct pf_function_node *n = &f->nodes[node];

	pf_buffer_uleb(out, w->ranks[n->name]);
	pf_buffer_uleb(out, n->checksum);
	pf_buffer_uleb(out, n->child_count);
	for (uint32_t i = 0; i < n->child_count; i++) {
		uint32_t child = f->children[n->first_child + i];

		write_place(out, f->nodes[child].site);
		write_checksums(w, child);
	}
}

static void
write_metadata(struct writer *w)
{
	if (!w->f->probes)
		return;
	w->flags[SECTION_METADATA] |= FLAG_PROBES;
	for (size_t i = 0; i < w->f->root_count; i++)
		write_checksums(w, w->f->children[i]);
}

static void
write_symbols(struct writer *w)
{
	for (size_t i = 0; w->options->symbols && i < w->options->symbol_count; i++) {
		const char *name = w->options->symbols[i];
		pf_buffer_add(&w->sections[SECTION_SYMBOLS], name, strlen(name) + 1);
	}
}

/* Replaces a section's bytes by raw size, packed size, zlib stream. */
static int
compress_section(struct writer *w, int section, struct pf_error *err)
{
	struct pf_buffer *plain = &w->sections[section], packed, whole;
	int rc = pf_buffer_check(plain, err);

	if (rc || plain->size == 0)
		return rc;
	pf_buffer_init(&packed, plain->maximum);
	pf_buffer_init(&whole, plain->maximum);
	rc = pf_zlib_deflate(&packed, plain->bytes, plain->size, ZLIB_LEVEL, err);
	if (!rc) {
		pf_buffer_uleb(&whole, plain->size);
		pf_buffer_uleb(&whole, packed.size);
		pf_buffer_add(&whole, packed.bytes, packed.size);
		rc = pf_buffer_check(&whole, err);
	}
	pf_buffer_release(&packed);
	if (rc) {
		pf_buffer_release(&whole);
		return rc;
	}
	pf_buffer_release(plain);
	*plain = whole;
	w->flags[section] |= FLAG_COMPRESSED;
	return 0;
}

static int
write_file(struct writer *w, struct pf_buffer *out, struct pf_error *err)
{
	size_t start = out->size, at;
	uint64_t places[SECTIONS];

	pf_buffer_uleb(out, MAGIC);
	pf_buffer_uleb(out, VERSION);
	put_u64(out, SECTIONS);
	at = out->size - start + (size_t)SECTIONS * 4 * 8;
	for (int i = 0; i < SECTIONS; i++) {
		places[file_order[i]] = at;
		at += w->sections[file_order[i]].size;
	}
	for (int i = 0; i < SECTIONS; i++) {
		put_u64(out, section_types[i]);
		put_u64(out, w->flags[i]);
		put_u64(out, places[i]);
		put_u64(out, w->sections[i].size);
	}
	for (int i = 0; i < SECTIONS; i++) {
		const struct pf_buffer *section = &w->sections[file_order[i]];
		int rc = pf_buffer_check(section, err);
		if (rc)
			return rc;
		if (section->size)
			pf_buffer_add(out, section->bytes, section->size);
	}
	return pf_buffer_check(out, err);
}

int
pf_llvm_extbinary(const struct pf_functions *f, const struct pf_llvm_options *options,
    struct pf_buffer *out, struct pf_error *err)
{
	struct writer w = {.f = f, .options = options};
	int rc;

	for (int i = 0; i < SECTIONS; i++)
		pf_buffer_init(&w.sections[i], out->maximum);
	rc = rank_names(&w, err);
	if (!rc)
		rc = write_summary(&w, err);
	if (!rc) {
		write_names(&w);
		pf_buffer_uleb(&w.sections[SECTION_CONTEXT_NAMES], 0); /* none */
		write_profiles(&w);
		write_symbols(&w);
		write_metadata(&w);
	}
	for (int i = 0; !rc && options->compress && i < SECTIONS; i++)
		rc = compress_section(&w, i, err);
	if (!rc)
		rc = write_file(&w, out, err);
	for (int i = 0; i < SECTIONS; i++)
		pf_buffer_release(&w.sections[i]);
	free(w.ranks);
	free(w.names);
	return rc;
}
