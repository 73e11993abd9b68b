/* store.c: see store.h. */
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "json.h"

#define MOST_STORED 4096
#define MOST_FILE ((size_t)4 << 20)
#define MOST_HELD ((size_t)256 << 20)

bool
read_file(const char *path, struct arena *arena, size_t most, struct slice *content)
{
	FILE *file = fopen(path, "rb");
	struct text text;
	char block[8192];
	size_t size;
	bool done;

	if (!file)
		return false;
	text_init(&text, most);
	while ((size = fread(block, 1, sizeof block, file)) > 0)
		text_put(&text, block, size);
	done = !ferror(file) && !text.failed;
	if (text.failed)
		errno = EFBIG;
	fclose(file);
	if (done) {
		*content = (struct slice){arena_copy(arena, text.bytes, text.size), text.size};
		done = content->at != NULL;
	}
	text_release(&text);
	return done;
}

static int
compare_stored(const void *a, const void *b)
{
	const struct stored *x = a, *y = b;

	return value_compare(value_string(x->name), value_string(y->name));
}

static bool
is_wanted(const char *name, const char *ending)
{
	size_t size = strlen(name), ending_size = strlen(ending);

	return name[0] != '.' && size > ending_size && !strcmp(name + size - ending_size, ending);
}

static bool
load_one(struct store *store, const char *folder, const char *name, const char *ending,
    struct stored *one)
{
	char path[4096];
	size_t size = strlen(name) - strlen(ending);

	if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) {
		errno = ENAMETOOLONG;
		return false;
	}
	*one = (struct stored){.name = {arena_copy(&store->arena, name, size), size}};
	return one->name.at && read_file(path, &store->arena, MOST_FILE, &one->source);
}

/* All files of `folder` with this ending, sorted. */
static bool
load_folder(
    struct store *store, const char *folder, const char *ending, struct stored **all, size_t *count)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	bool done = true;

	*all = arena_array(&store->arena, MOST_STORED, sizeof **all);
	if (!dir || !*all) {
		fprintf(stderr, "folio: cannot read the folder %s: %s\n", folder, strerror(errno));
		if (dir)
			closedir(dir);
		return false;
	}
	while (done && *count < MOST_STORED && (entry = readdir(dir))) {
		if (!is_wanted(entry->d_name, ending))
			continue;
		done = load_one(store, folder, entry->d_name, ending, &(*all)[*count]);
		if (done)
			++*count;
		else
			fprintf(stderr, "folio: cannot read %s/%s: %s\n", folder, entry->d_name,
			    strerror(errno));
	}
	closedir(dir);
	qsort(*all, *count, sizeof **all, compare_stored);
	return done;
}

static bool
parse_documents(struct store *store)
{
	struct json_error error;

	for (size_t i = 0; i < store->document_count; i++) {
		struct stored *document = &store->documents[i];
		int size = (int)document->name.size;

		if (!json_parse(document->source, &store->arena, &document->parsed, &error)) {
			fprintf(stderr, "folio: document %.*s: %s at byte %zu\n", size,
			    document->name.at, error.what, error.offset);
			return false;
		}
		if (document->parsed.kind != VALUE_MAP) {
			fprintf(stderr, "folio: document %.*s is no JSON object\n", size,
			    document->name.at);
			return false;
		}
		if (!map_set(document->parsed.map, &store->arena, key_of(slice_of("id")),
			value_string(document->name)))
			return false;
	}
	return true;
}

bool
store_load(struct store *store, const char *folder)
{
	char path[4096];

	*store = (struct store){0};
	arena_init(&store->arena, MOST_HELD);
	if (snprintf(path, sizeof path - 16, "%s", folder) >= (int)sizeof path - 16) {
		fprintf(stderr, "folio: the data folder's name is too long\n");
		return false;
	}
	snprintf(path, sizeof path, "%.4000s/documents", folder);
	if (!load_folder(store, path, ".json", &store->documents, &store->document_count))
		return false;
	snprintf(path, sizeof path, "%.4000s/templates", folder);
	if (!load_folder(store, path, ".html", &store->templates, &store->template_count))
		return false;
	return parse_documents(store);
}

void
store_release(struct store *store)
{
	arena_release(&store->arena);
	*store = (struct store){0};
}

static const struct stored *
find(const struct stored *all, size_t count, struct slice name)
{
	struct stored wanted = {.name = name};

	return count ? bsearch(&wanted, all, count, sizeof *all, compare_stored) : NULL;
}

const struct stored *
store_document(const struct store *store, struct slice name)
{
	return find(store->documents, store->document_count, name);
}

const struct stored *
store_template(const struct store *store, struct slice name)
{
	return find(store->templates, store->template_count, name);
}
