/*
 * libFuzzer target: any bytes as .debug_line, and as the strings it refers to.
 * Whatever table comes out must answer every address as running its whole
 * program would, and every file number.
 */

#include "core/error.h"
#include "symbol/lines.h"
#include "fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The row that covers an address never lies behind it. (Sequences of a damaged table may overlap and hide each other.) */
static void
ask(const struct pf_line_table *table, const struct pf_line_sections *sections, uint64_t address,
    struct pf_line_window *window)
{
	const struct pf_line_row *row;
	struct pf_error err;
	uint64_t cost = 0;

	require(pf_line_table_find(table, sections, window, address, &row, &cost, &err) == 0);
	require(cost <= sections->line.size);
	require(!row || row->address <= address);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct pf_bytes all = {.at = bytes, .size = size};
	struct pf_line_sections sections = {.line = all, .line_strings = all, .strings = all};
	struct pf_line_table table = {0};
	struct pf_line_window window = {0};
	struct pf_error err;
	const char *path;
	uint64_t cost;

	(void)pf_line_table_read(&table, &sections, 0, &cost, &err);
	require(cost <= size);
	for (size_t i = 0; i < table.sequence_count; i++) {
		const struct pf_line_sequence *s = &table.sequences[i];
		require(s->low < s->high && s->first < s->end && s->end <= table.mark_count);
		ask(&table, &sections, s->low, &window);
		ask(&table, &sections, s->high - 1, &window);
		for (size_t k = s->first; k < s->end && k < s->first + 20; k++)
			ask(&table, &sections, table.marks[k].row.address, &window);
	}
	for (size_t i = 0; i < table.names.file_count + 2 && i < 100; i++)
		require(pf_line_table_path(&table, &sections, i, "/unit", &path, &err) == 0);
	pf_line_window_release(&window);
	pf_line_table_release(&table);
	return 0;
}
