/*
 * lines.c: running a line program; see lines.h.
 *
 * Sequences are kept only if their rows rise and they lie above address 0:
 * linkers move the tables of functions they dropped to 0 (or to the highest
 * address), where they would cover real code.
 */
#include "symbol/lines.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "symbol/lines_header.h"

struct machine {
	struct pf_line_table *table;
	const struct pf_line_header *header;
	struct pf_line_row row;
	size_t first; /* row of the sequence under way */
	bool sorted;  /* so far in it */
};

static void
reset(struct machine *m)
{
	m->row = (struct pf_line_row){.file = 1, .line = 1};
	m->first = m->table->row_count;
	m->sorted = true;
}

static int
add_row(struct machine *m, struct pf_error *err)
{
	struct pf_line_table *t = m->table;

	if (PF_GROW(t->rows, t->row_capacity, t->row_count + 1, err))
		return PF_ENOMEM;
	if (t->row_count > m->first && t->rows[t->row_count - 1].address > m->row.address)
		m->sorted = false;
	t->rows[t->row_count++] = m->row;
	m->row.discriminator = 0;
	return 0;
}

static int
end_sequence(struct machine *m, struct pf_error *err)
{
	struct pf_line_table *t = m->table;
	uint64_t low = t->row_count > m->first ? t->rows[m->first].address : 0;

	if (low != 0 && m->row.address > low && m->sorted &&
	    m->row.address >= t->rows[t->row_count - 1].address) {
		if (PF_GROW(t->sequences, t->sequence_capacity, t->sequence_count + 1, err))
			return PF_ENOMEM;
		t->sequences[t->sequence_count++] = (struct pf_line_sequence){
		    .low = low, .high = m->row.address, .first = m->first, .end = t->row_count};
	} else {
		t->row_count = m->first;
	}
	reset(m);
	return 0;
}

static void
advance(struct machine *m, uint64_t operations)
{
	m->row.address += operations * m->header->minimum_length;
}

static int
extended(struct machine *m, struct pf_cursor *c, struct pf_error *err)
{
	struct pf_cursor op = pf_cursor_slice(c, pf_cursor_varint(c));
	const char *name;
	int rc = 0;

	/* Length 0 and opcodes of vendors are stepped over. */
	switch (pf_cursor_more(&op) ? pf_dwarf_u8(&op) : 0) {
	case DW_LNE_end_sequence:
		rc = end_sequence(m, err);
		break;
	case DW_LNE_set_address:
		if (pf_cursor_left(&op) == 8)
			m->row.address = pf_cursor_u64(&op);
		else if (pf_cursor_left(&op) == 4)
			m->row.address = pf_cursor_u32(&op);
		else
			pf_cursor_fail(c, "an address of unknown size");
		break;
	case DW_LNE_define_file:
		name = pf_dwarf_string(&op);
		rc = pf_line_table_add_file(m->table, name, pf_cursor_varint(&op), err);
		break;
	case DW_LNE_set_discriminator:
		m->row.discriminator = (uint32_t)pf_cursor_varint(&op);
		break;
	default:
		break;
	}
	if (op.failure)
		pf_cursor_fail(c, op.failure);
	return rc;
}

static int
standard(struct machine *m, struct pf_cursor *c, uint8_t opcode, struct pf_error *err)
{
	switch (opcode) {
	case DW_LNS_copy:
		return add_row(m, err);
	case DW_LNS_advance_pc:
		advance(m, pf_cursor_varint(c));
		break;
	case DW_LNS_advance_line:
		m->row.line += (uint32_t)pf_dwarf_sleb(c);
		break;
	case DW_LNS_set_file:
		m->row.file = (uint32_t)pf_cursor_varint(c);
		break;
	case DW_LNS_const_add_pc:
		advance(m, (255u - m->header->opcode_base) / m->header->line_range);
		break;
	case DW_LNS_fixed_advance_pc:
		m->row.address += pf_dwarf_u16(c);
		break;
	default:
		for (unsigned i = 0; i < m->header->operands[opcode]; i++)
			pf_cursor_varint(c);
		break;
	}
	return 0;
}

static int
run(struct machine *m, struct pf_cursor *c, struct pf_error *err)
{
	const struct pf_line_header *h = m->header;
	int rc = 0;

	reset(m);
	while (!rc && pf_cursor_more(c)) {
		uint8_t opcode = pf_dwarf_u8(c);
		if (opcode >= h->opcode_base) {
			unsigned step = (unsigned)opcode - h->opcode_base;
			advance(m, step / h->line_range);
			m->row.line += (uint32_t)(h->line_base + (int)(step % h->line_range));
			rc = add_row(m, err);
		} else if (opcode == 0) {
			rc = extended(m, c, err);
		} else {
			rc = standard(m, c, opcode, err);
		}
	}
	m->table->row_count = m->first; /* a sequence without an end */
	return rc ? rc : pf_cursor_check(c, err);
}

static int
compare_sequences(const void *a, const void *b)
{
	const struct pf_line_sequence *x = a, *y = b;

	if (x->high != y->high)
		return x->high < y->high ? -1 : 1;
	return (x->first > y->first) - (x->first < y->first);
}

int
pf_line_table_read(struct pf_line_table *table, const struct pf_line_sections *sections,
    uint64_t offset, struct pf_error *err)
{
	struct pf_line_header header;
	struct machine m = {.table = table, .header = &header};
	struct pf_cursor c, program;
	int rc;

	if (!sections->line.at)
		return pf_error_set(err, PF_EINPUT, "there is no .debug_line section");
	pf_cursor_init(&c, ".debug_line", sections->line.at, sections->line.size);
	pf_cursor_skip(&c, offset);
	rc = pf_line_header_read(&header, table, sections, &c, &program, err);
	if (!rc)
		rc = run(&m, &program, err);
	if (table->sequence_count > 1)
		qsort(table->sequences, table->sequence_count, sizeof *table->sequences,
		    compare_sequences);
	return rc;
}

void
pf_line_table_release(struct pf_line_table *table)
{
	for (size_t i = 0; i < table->file_count; i++)
		free(table->files[i].path);
	free(table->files);
	free(table->directories);
	free(table->sequences);
	free(table->rows);
	*table = (struct pf_line_table){0};
}

const struct pf_line_row *
pf_line_table_find(const struct pf_line_table *table, uint64_t address)
{
	const struct pf_line_sequence *s;
	size_t low = 0, high = table->sequence_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (table->sequences[middle].high <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == table->sequence_count || address < table->sequences[low].low)
		return NULL;
	s = &table->sequences[low];
	low = s->first + 1;
	high = s->end;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (table->rows[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return &table->rows[low - 1];
}

/* The last part that is absolute: the path starts there. NULL: none is. */
static const char *
parts_from(const char *parts[3])
{
	const char *start = NULL;

	for (int i = 0; i < 3; i++) {
		if (parts[i][0] == '/')
			start = parts[i];
	}
	return start;
}

int
pf_line_table_path(struct pf_line_table *table, uint64_t number, const char *unit_directory,
    const char **path, struct pf_error *err)
{
	struct pf_line_file *file = number < table->file_count ? &table->files[number] : NULL;
	const char *parts[3] = {unit_directory ? unit_directory : "", "", ""}, *start;
	size_t room = 3, n = 0;

	*path = NULL;
	if (!file || !file->name[0])
		return 0;
	*path = file->path;
	if (file->path)
		return 0;
	if (file->directory < table->directory_count)
		parts[1] = table->directories[file->directory];
	if (table->version >= 5 && file->directory == 0)
		parts[0] = ""; /* directory 0 is the unit's own there */
	parts[2] = file->name;
	start = parts_from(parts);
	for (int i = 0; i < 3; i++)
		room += strlen(parts[i]);
	file->path = malloc(room);
	if (!file->path)
		return pf_error_nomem(err);
	for (int i = 0; i < 3; i++) {
		size_t length = strlen(parts[i]);
		if (parts[i] == start)
			n = 0;
		if (length == 0)
			continue;
		if (n > 0 && file->path[n - 1] != '/')
			file->path[n++] = '/';
		memcpy(file->path + n, parts[i], length);
		n += length;
	}
	file->path[n] = '\0';
	*path = file->path;
	return 0;
}
