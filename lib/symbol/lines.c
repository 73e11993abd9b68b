/*
 * lines.c: running a line program; see lines.h. Format: DWARF 5, section 6.2.
 *
 * Sequences are kept only if their rows rise and they lie above address 0:
 * linkers move the tables of functions they dropped to 0 (or to the highest
 * address), where they would cover real code.
 */
#include "symbol/lines.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "symbol/dwarf_constants.h"
#include "symbol/lines_header.h"

/* Bytes of program between marks. */
#define STRIDE 192

/* A line program under way. */
struct machine {
	const struct pf_line_header *header;
	struct pf_cursor cursor;
	struct pf_line_row row;
};

/* What an opcode made: nothing, a row, or the end of a sequence at row.address. */
enum made { NOTHING, ROW, END };

static void
reset(struct machine *m)
{
	m->row = (struct pf_line_row){.file = 1, .line = 1};
}

static void
advance(struct machine *m, uint64_t operations)
{
	m->row.address += operations * m->header->minimum_length;
}

/* DW_LNE_define_file is stepped over: no compiler that is still in use writes it. */
static enum made
extended(struct machine *m)
{
	struct pf_cursor *c = &m->cursor;
	struct pf_cursor op = pf_cursor_slice(c, pf_cursor_varint(c));
	enum made made = NOTHING;

	/* Length 0 and opcodes of vendors are stepped over, too. */
	switch (pf_cursor_more(&op) ? pf_dwarf_u8(&op) : 0) {
	case DW_LNE_end_sequence:
		made = END;
		break;
	case DW_LNE_set_address:
		if (pf_cursor_left(&op) == 8)
			m->row.address = pf_dwarf_u64(&op);
		else if (pf_cursor_left(&op) == 4)
			m->row.address = pf_dwarf_u32(&op);
		else
			pf_cursor_fail(c, "an address of unknown size");
		break;
	case DW_LNE_set_discriminator:
		m->row.discriminator = (uint32_t)pf_cursor_varint(&op);
		break;
	default:
		break;
	}
	if (op.failure)
		pf_cursor_fail(c, op.failure);
	return made;
}

static enum made
standard(struct machine *m, uint8_t opcode)
{
	struct pf_cursor *c = &m->cursor;

	switch (opcode) {
	case DW_LNS_copy:
		return ROW;
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
	return NOTHING;
}

/*
 * Runs up to the next row or end of a sequence, which stands in m->row; NOTHING
 * at the end of the program or at damage. A row's discriminator is the next
 * step's to clear.
 */
static enum made
step(struct machine *m)
{
	const struct pf_line_header *h = m->header;
	enum made made = NOTHING;

	m->row.discriminator = 0;
	while (made == NOTHING && pf_cursor_more(&m->cursor)) {
		uint8_t opcode = *m->cursor.at++;
		if (opcode >= h->opcode_base) {
			unsigned special = (unsigned)opcode - h->opcode_base;
			advance(m, special / h->line_range);
			m->row.line += (uint32_t)(h->line_base + (int)(special % h->line_range));
			return ROW;
		}
		made = opcode == 0 ? extended(m) : standard(m, opcode);
	}
	return m->cursor.failure ? NOTHING : made;
}

static void
begin(struct machine *m, const struct pf_line_header *header,
    const struct pf_line_sections *sections, uint64_t at)
{
	*m = (struct machine){.header = header};
	pf_cursor_init(&m->cursor, ".debug_line", sections->line.at, header->end);
	pf_cursor_skip(&m->cursor, at);
	reset(m);
}

static int
add_mark(struct pf_line_table *t, const struct machine *m, struct pf_error *err)
{
	if (PF_GROW(t->marks, t->mark_capacity, t->mark_count + 1, err))
		return PF_ENOMEM;
	t->marks[t->mark_count++] =
	    (struct pf_line_mark){.row = m->row, .at = pf_cursor_offset(&m->cursor)};
	return 0;
}

/* Runs one sequence; *more is false at the end of the program. */
static int
read_sequence(struct pf_line_table *t, struct machine *m, bool *more, struct pf_error *err)
{
	size_t first = t->mark_count;
	uint64_t last = 0;
	bool sorted = true;
	enum made made;
	int rc = 0;

	reset(m);
	while (!rc && (made = step(m)) == ROW) {
		sorted &= m->row.address >= last;
		last = m->row.address;
		if (t->mark_count == first ||
		    pf_cursor_offset(&m->cursor) - t->marks[t->mark_count - 1].at >= STRIDE)
			rc = add_mark(t, m, err);
	}
	if (rc)
		return rc;
	*more = made == END;
	uint64_t low = t->mark_count > first ? t->marks[first].row.address : 0;
	if (!*more || low == 0 || !sorted || m->row.address <= low || m->row.address < last) {
		t->mark_count = first;
		return 0;
	}
	if (PF_GROW(t->sequences, t->sequence_capacity, t->sequence_count + 1, err))
		return PF_ENOMEM;
	t->sequences[t->sequence_count++] = (struct pf_line_sequence){
	    .low = low, .high = m->row.address, .first = first, .end = t->mark_count};
	return 0;
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
    uint64_t offset, uint64_t *size, struct pf_error *err)
{
	struct machine m;
	bool more = true;
	int rc;

	*size = 0;
	if (!sections->line.at)
		return pf_error_set(err, PF_EINPUT, "there is no .debug_line section");
	rc = pf_line_header_read(&table->header, sections, offset, err);
	if (rc)
		return rc;
	begin(&m, &table->header, sections, table->header.program);
	while (!rc && more)
		rc = read_sequence(table, &m, &more, err);
	*size = pf_cursor_offset(&m.cursor) - table->header.program;
	if (table->sequence_count > 1)
		qsort(table->sequences, table->sequence_count, sizeof *table->sequences,
		    compare_sequences);
	return rc ? rc : pf_cursor_check(&m.cursor, err);
}

void
pf_line_table_release(struct pf_line_table *table)
{
	pf_line_names_release(&table->names);
	free(table->sequences);
	free(table->marks);
	*table = (struct pf_line_table){0};
}

void
pf_line_window_release(struct pf_line_window *window)
{
	free(window->rows);
	*window = (struct pf_line_window){0};
}

/* Appends a row; one at the same address takes the last one's place. */
static int
add_row(struct pf_line_window *w, const struct pf_line_row *row, struct pf_error *err)
{
	if (w->count > 0 && w->rows[w->count - 1].address == row->address)
		w->count--;
	else if (PF_GROW(w->rows, w->capacity, w->count + 1, err))
		return PF_ENOMEM;
	w->rows[w->count++] = *row;
	return 0;
}

/* Fills the window with the rows from a mark of a sequence to the next. */
static int
fill(struct pf_line_window *w, const struct pf_line_table *t,
    const struct pf_line_sections *sections, const struct pf_line_sequence *s, size_t mark,
    uint64_t *size, struct pf_error *err)
{
	uint64_t until = mark + 1 < s->end ? t->marks[mark + 1].at : t->header.end + 1;
	struct machine m;
	int rc;

	w->table = NULL;
	w->count = w->found = 0;
	begin(&m, &t->header, sections, t->marks[mark].at);
	m.row = t->marks[mark].row;
	rc = add_row(w, &m.row, err);
	while (!rc && step(&m) == ROW && pf_cursor_offset(&m.cursor) < until)
		rc = add_row(w, &m.row, err);
	*size += pf_cursor_offset(&m.cursor) - t->marks[mark].at;
	if (rc)
		return rc;
	w->table = t;
	w->mark = mark;
	return 0;
}

/* The last mark of a sequence that does not lie behind an address. */
static size_t
mark_before(const struct pf_line_table *t, const struct pf_line_sequence *s, uint64_t address)
{
	size_t low = s->first + 1, high = s->end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (t->marks[middle].row.address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low - 1;
}

static const struct pf_line_sequence *
sequence_at(const struct pf_line_table *table, uint64_t address)
{
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
	return &table->sequences[low];
}

/*
 * Whether an address is in the window without looking further: behind the one
 * asked for last, so that no other sequence comes first, and before the last
 * row, behind which the next mark may lie.
 */
static bool
is_near(const struct pf_line_window *w, const struct pf_line_table *t, uint64_t address)
{
	return w->table == t && address >= w->asked && address < w->rows[w->count - 1].address;
}

/* The last row at or before an address, which row `from` is: mostly that one or the next. */
static size_t
row_before(const struct pf_line_window *w, size_t from, uint64_t address)
{
	size_t low = from + 1, high = w->count;

	for (size_t n = from; n < from + 2 && n < high; n++) {
		if (n + 1 == high || w->rows[n + 1].address > address)
			return n;
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (w->rows[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low - 1;
}

int
pf_line_table_find(const struct pf_line_table *table, const struct pf_line_sections *sections,
    struct pf_line_window *window, uint64_t address, const struct pf_line_row **row, uint64_t *size,
    struct pf_error *err)
{
	const struct pf_line_sequence *s;
	size_t mark;

	*row = NULL;
	if (!is_near(window, table, address)) {
		s = sequence_at(table, address);
		if (!s)
			return 0;
		mark = mark_before(table, s, address);
		if ((window->table != table || window->mark != mark) &&
		    fill(window, table, sections, s, mark, size, err))
			return PF_ENOMEM;
		window->found = 0;
	}
	window->found = row_before(window, window->found, address);
	window->asked = address;
	*row = &window->rows[window->found];
	return 0;
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
pf_line_table_path(struct pf_line_table *table, const struct pf_line_sections *sections,
    uint64_t number, const char *unit_directory, const char **path, struct pf_error *err)
{
	struct pf_line_names *names = &table->names;
	const char *parts[3] = {unit_directory ? unit_directory : "", "", ""}, *start;
	struct pf_line_file *file;
	size_t room = 3, n = 0;

	*path = NULL;
	if (!names->read && pf_line_names_read(names, &table->header, sections, err))
		return PF_ENOMEM;
	file = number < names->file_count ? &names->files[number] : NULL;
	if (!file || !file->name[0])
		return 0;
	*path = file->path;
	if (file->path)
		return 0;
	if (file->directory < names->directory_count)
		parts[1] = names->directories[file->directory];
	if (table->header.version >= 5 && file->directory == 0)
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
