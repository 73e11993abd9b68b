/*
 * libFuzzer target: any bytes as .debug_line, and as the strings it refers to;
 * whatever table comes out must answer every address and file number.
 */
#include <stdlib.h>

#include "core/error.h"
#include "symbol/lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
require(int condition)
{
	if (!condition)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct pf_bytes all = {.at = bytes, .size = size};
	struct pf_line_sections sections = {.line = all, .line_strings = all, .strings = all};
	struct pf_line_table table = {0};
	struct pf_error err;
	const char *path;

	(void)pf_line_table_read(&table, &sections, 0, &err);
	for (size_t i = 0; i < table.sequence_count; i++) {
		const struct pf_line_sequence *s = &table.sequences[i];
		require(s->low < s->high && s->first < s->end && s->end <= table.row_count);
		const struct pf_line_row *row = pf_line_table_find(&table, s->low);
		require(!row || (row >= table.rows && row < table.rows + table.row_count));
	}
	for (size_t i = 0; i < table.file_count + 2 && i < 100; i++)
		require(pf_line_table_path(&table, i, "/unit", &path, &err) == 0);
	pf_line_table_release(&table);
	return 0;
}
