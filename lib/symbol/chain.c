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

static int
add_frame(struct pf_inline_chain *chain, const struct pf_inline_frame *frame, struct pf_error *err)
{
	int rc = PF_GROW(chain->frames, chain->capacity, chain->count + 1, err);

	if (!rc)
		chain->frames[chain->count++] = *frame;
	return rc;
}

/* Frames from the scope inside to the function outside, all but the innermost one's place. */
static int
add_scopes(struct pf_binary *binary, const struct pf_scopes *scopes, uint32_t scope,
    uint64_t address, struct pf_inline_chain *chain, struct pf_error *err)
{
	struct pf_dwarf *d = binary->dwarf;
	struct pf_inline_frame frame = {0};
	int rc = 0;

	while (scope != PF_NONE && !rc) {
		struct pf_scope *s = &scopes->items[scope];
		rc = pf_function_of(d, scopes->unit, s, err);
		if (rc)
			return rc;
		const struct pf_dwarf_function *f = &d->functions[s->function];
		frame.function = s->parent == PF_NONE
				     ? outermost_name(binary, f, address, &chain->until)
				 : f->name ? f->name
					   : "";
		frame.start_line = f->line;
		rc = add_frame(chain, &frame, err);
		frame = (struct pf_inline_frame){
		    .line = s->call_line, .discriminator = s->call_discriminator};
		if (!rc && s->parent != PF_NONE && !chain->without_files)
			rc = pf_unit_path(d, scopes->unit, s->call_file, &frame.file, err);
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

/* The place of the innermost frame: what the line table says, nothing where it does not. */
static int
set_place(struct pf_dwarf *d, const struct pf_unit *unit, const struct pf_line_row *row,
    struct pf_inline_chain *chain, struct pf_error *err)
{
	struct pf_inline_frame *innermost = &chain->frames[0];

	innermost->line = row ? row->line : 0;
	innermost->discriminator = row ? row->discriminator : 0;
	return chain->without_files
		   ? 0
		   : pf_unit_path(d, unit, row ? row->file : 0, &innermost->file, err);
}

/* No function is known there: a line at most, in what the symbol table names. */
static int
build_without_scope(struct pf_binary *binary, const struct pf_unit *unit, uint64_t address,
    const struct pf_line_row *row, struct pf_inline_chain *chain, struct pf_error *err)
{
	struct pf_inline_frame frame = {0};
	int rc;

	if (!row || row->line == 0)
		return 0;
	frame.function = outermost_name(binary, NULL, address, &chain->until);
	rc = add_frame(chain, &frame, err);
	return rc ? rc : set_place(binary->dwarf, unit, row, chain, err);
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
	int rc = pf_unit_row(d, unit, address, &row, err);

	if (!rc && entry != PF_NONE) {
		rc = pf_scopes_read(d, unit, entry, &scopes, err);
		if (!rc)
			rc = pf_scopes_find(scopes, address, &scope, &chain->until, err);
	}
	if (!rc && scope == PF_NONE)
		rc = build_without_scope(binary, unit, address, row, chain, err);
	else if (!rc)
		rc = add_scopes(binary, scopes, scope, address, chain, err);
	if (!rc && scope != PF_NONE) {
		chain->number = d->stretch.number + 1;
		d->stretch =
		    (struct pf_chain_stretch){chain, chain->number, address, chain->until, unit};
		rc = set_place(d, unit, row, chain, err);
	}
	chain->until = row_end(&d->window, row, address, chain->until);
	return rc;
}

/* Whether the frames are those of the answer before, but for the line. */
static bool
is_same_stretch(
    const struct pf_binary *binary, const struct pf_inline_chain *chain, uint64_t address)
{
	const struct pf_chain_stretch *s = &binary->dwarf->stretch;

	return chain->binary == binary && s->chain == chain && s->number == chain->number &&
	       s->number && address >= s->from && address < s->until;
}

static int
move_on(struct pf_dwarf *d, uint64_t address, struct pf_inline_chain *chain, struct pf_error *err)
{
	const struct pf_line_row *row;
	int rc = pf_unit_row(d, d->stretch.unit, address, &row, err);

	if (!rc)
		rc = set_place(d, d->stretch.unit, row, chain, err);
	chain->until = row_end(&d->window, row, address, d->stretch.until);
	return rc;
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

/* The chain of an address that the answer before says nothing of. */
static int
find(
    struct pf_binary *binary, uint64_t address, struct pf_inline_chain *chain, struct pf_error *err)
{
	struct pf_dwarf *d = binary->dwarf;
	uint32_t rank = pf_ranges_piece(&d->unit_ranges, address, &chain->until);
	struct pf_unit *unit;
	int rc = 0;

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
	return rc ? rc : build(binary, unit, address, chain, err);
}

int
pf_binary_inline_chain(
    struct pf_binary *binary, uint64_t address, struct pf_inline_chain *chain, struct pf_error *err)
{
	struct pf_dwarf *d = binary->dwarf;
	int rc = 0;

	if (d && is_same_stretch(binary, chain, address)) {
		d->allowance += ALLOWANCE_EACH;
		rc = move_on(d, address, chain, err);
	} else {
		chain->count = 0;
		chain->until = UINT64_MAX;
		chain->binary = binary;
		chain->number = 0;
		if (d)
			rc = find(binary, address, chain, err);
	}
	if (rc)
		pf_error_prefix(err, "%s", binary->main.path);
	return rc;
}
