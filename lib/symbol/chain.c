/*
 * chain.c: the inline chain of an address, out of its unit's lines and scopes.
 */
#include "symbol/dwarf_private.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "symbol/binary_private.h"

/* Bytes of debug information that a question may cost, beside what the file as a whole may. */
#define ALLOWANCE_EACH 262144
/* Bytes of .debug_info (and with them about twice as many of other sections) that are kept in memory. */
#define TRIM_EVERY ((uint64_t)4 << 20)

void
pf_inline_chain_release(struct pf_inline_chain *chain)
{
	free(chain->frames);
	*chain = (struct pf_inline_chain){0};
}

/* Whether a name is mangled as C++ or Rust do. */
static bool
is_mangled(const char *name)
{
	return name[0] == '_' && (name[1] == 'Z' || name[1] == 'R');
}

/*
 * The name of the outermost function. Without -fdebug-info-for-profiling,
 * -gmlt leaves out linkage names; the symbol table then has the mangled one.
 */
static const char *
outermost_name(const struct pf_binary *binary, const struct pf_dwarf_function *f, uint64_t address,
    uint64_t *until)
{
	const struct pf_symbol *symbol;
	uint64_t end = address + 1;

	if (f && f->linkage)
		return f->name;
	symbol = pf_binary_symbol_at(binary, address);
	if (symbol)
		end = symbol->end;
	*until = end < *until ? end : *until;
	if (symbol && (!f || !f->name || is_mangled(symbol->name)))
		return symbol->name;
	return f && f->name ? f->name : "";
}

struct place {
	uint32_t file, line, discriminator;
};

static int
add_frame(struct pf_binary *binary, const struct pf_unit *unit, struct pf_inline_chain *chain,
    const struct place *place, struct pf_inline_frame frame, struct pf_error *err)
{
	int rc = PF_GROW(chain->frames, chain->capacity, chain->count + 1, err);

	if (!rc && !chain->without_files)
		rc = pf_unit_path(binary->dwarf, unit, place->file, &frame.file, err);
	if (rc)
		return rc;
	frame.line = place->line;
	frame.discriminator = place->discriminator;
	chain->frames[chain->count++] = frame;
	return 0;
}

/* Frames from the scope inside to the function outside. */
static int
add_scopes(struct pf_binary *binary, const struct pf_scopes *scopes, uint32_t scope,
    uint64_t address, struct place place, struct pf_inline_chain *chain, struct pf_error *err)
{
	struct pf_dwarf *d = binary->dwarf;
	int rc = 0;

	while (scope != PF_NONE && !rc) {
		struct pf_scope *s = &scopes->items[scope];
		rc = pf_function_of(d, scopes->unit, s, err);
		if (rc)
			return rc;
		const struct pf_dwarf_function *f = &d->functions[s->function];
		struct pf_inline_frame frame = {
		    .function = f->name ? f->name : "", .start_line = f->line};
		if (s->parent == PF_NONE)
			frame.function = outermost_name(binary, f, address, &chain->until);
		rc = add_frame(binary, scopes->unit, chain, &place, frame, err);
		place = (struct place){.file = s->call_file,
		    .line = s->call_line,
		    .discriminator = s->call_discriminator};
		scope = s->parent;
	}
	return rc;
}

/* Where another row begins, if that is before `until`; of the last one that was read nobody knows. */
static uint64_t
row_end(const struct pf_line_window *window, const struct pf_line_row *row, uint64_t address,
    uint64_t until)
{
	bool known = row && row + 1 < window->rows + window->count;
	uint64_t end = known ? row[1].address : address + 1;

	return end < until ? end : until;
}

static int
build(struct pf_binary *binary, struct pf_unit *unit, uint64_t address,
    struct pf_inline_chain *chain, struct pf_error *err)
{
	struct pf_dwarf *d = binary->dwarf;
	uint32_t entry = pf_ranges_piece(&unit->functions, address, &chain->until);
	uint32_t scope = PF_NONE;
	const struct pf_line_row *row;
	struct pf_scopes *scopes = NULL;
	struct place place = {0};
	int rc = pf_unit_row(d, unit, address, &row, err);

	if (!rc && entry != PF_NONE) {
		rc = pf_scopes_read(d, unit, entry, &scopes, err);
		if (!rc)
			rc = pf_scopes_find(scopes, address, &scope, &chain->until, err);
	}
	if (rc)
		return rc;
	chain->until = row_end(&d->window, row, address, chain->until);
	if (row)
		place = (struct place){
		    .file = row->file, .line = row->line, .discriminator = row->discriminator};
	if (scope != PF_NONE)
		return add_scopes(binary, scopes, scope, address, place, chain, err);
	if (!row || row->line == 0)
		return 0;
	return add_frame(binary, unit, chain, &place,
	    (struct pf_inline_frame){
		.function = outermost_name(binary, NULL, address, &chain->until)},
	    err);
}

/* Debug information is read once, unit by unit: what lies behind need not stay in memory. */
static int
load(struct pf_binary *binary, struct pf_unit *unit, struct pf_error *err)
{
	struct pf_dwarf *d = binary->dwarf;

	d->touched += unit->end - unit->offset;
	if (d->touched > TRIM_EVERY) {
		pf_binary_trim(binary);
		d->touched = 0;
	}
	return pf_unit_load(d, unit, err);
}

int
pf_binary_inline_chain(
    struct pf_binary *binary, uint64_t address, struct pf_inline_chain *chain, struct pf_error *err)
{
	struct pf_dwarf *d = binary->dwarf;
	struct pf_unit *unit;
	uint32_t rank;
	int rc = 0;

	chain->count = 0;
	chain->until = UINT64_MAX;
	rank = d ? pf_ranges_piece(&d->unit_ranges, address, &chain->until) : PF_NONE;
	if (rank == PF_NONE)
		return 0;
	d->allowance += ALLOWANCE_EACH;
	unit = &d->main.units[UINT32_MAX - 1 - rank];
	if (!unit->loaded)
		rc = load(binary, unit, err);
	else if (unit->code)
		rc = pf_error_set(err, unit->code,
		    "the debug information of the unit at offset 0x%llx cannot be read; build it "
		    "again",
		    (unsigned long long)unit->offset);
	if (!rc)
		rc = build(binary, unit, address, chain, err);
	if (rc)
		pf_error_prefix(err, "%s", binary->main.path);
	return rc;
}
