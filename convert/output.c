/* output.c: the chosen format's bytes. */
#include <stdlib.h>
#include <string.h>

#include "convert/convert_private.h"
#include "convert/folded.h"
#include "convert/gcc_profile.h"
#include "convert/llvm.h"
#include "core/error.h"
#include "core/memory.h"
#include "symbol/binary.h"

/* Names of all functions that the binary has code for, as profiles spell them. */
struct name_list {
	char **names; /* each owned */
	size_t count;
};

static void
release_names(struct name_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->names[i]);
	free(list->names);
	*list = (struct name_list){0};
}

static int
by_name(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static int
list_symbols(struct name_list *list, const struct pf_binary *binary, struct pf_error *err)
{
	size_t count, kept = 0;
	const struct pf_symbol *symbols = pf_binary_symbols(binary, &count);
	int rc = PF_CALLOC(list->names, count, err);

	for (size_t i = 0; !rc && i < count; i++) {
		size_t size = strlen(symbols[i].name) + 1;
		char *name = malloc(size);

		if (!name)
			return pf_error_nomem(err);
		pf_canonical_name(symbols[i].name, name, size);
		list->names[list->count++] = name;
	}
	if (rc || list->count == 0)
		return rc;
	qsort(list->names, list->count, sizeof *list->names, by_name);
	for (size_t i = 0; i < list->count; i++) {
		if (kept && strcmp(list->names[kept - 1], list->names[i]) == 0)
			free(list->names[i]);
		else
			list->names[kept++] = list->names[i];
	}
	list->count = kept;
	return 0;
}

static int
render_extbinary(struct pf_convert *c, struct pf_error *err)
{
	struct pf_llvm_options options = {.md5 = c->options.md5, .compress = c->options.compress};
	struct name_list list = {0};
	int rc = 0;

	if (c->options.symbol_list)
		rc = list_symbols(&list, c->binary, err);
	options.symbols = (const char *const *)list.names;
	options.symbol_count = list.count;
	if (!rc)
		rc = pf_llvm_extbinary(&c->functions, &options, &c->bytes, err);
	release_names(&list);
	return rc;
}

static int
render_gcc(struct pf_convert *c, struct pf_error *err)
{
	struct pf_functions lines;
	int rc = pf_functions_by_line(&lines, &c->functions, err);

	if (!rc)
		rc = pf_gcc_profile(&lines, &c->bytes, err);
	pf_functions_release(&lines);
	return rc;
}

int
pf_convert_render(struct pf_convert *c, struct pf_error *err)
{
	if (c->options.format == PF_CONVERT_TEXT)
		return pf_llvm_text(&c->functions, &c->bytes, err);
	if (c->options.format == PF_CONVERT_GCC)
		return render_gcc(c, err);
	if (c->options.format == PF_CONVERT_FOLDED)
		return pf_folded(
		    &c->bytes, &c->stacks, c->type.type, c->type.unit, c->binary, c->matches, err);
	return render_extbinary(c, err);
}
