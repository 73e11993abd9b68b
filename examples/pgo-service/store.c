/* store.c: see store.h. */
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "json.h"

#define MOST_STORED 4096
#define ENDING ".html"
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
load_template(struct store *store, const char *folder, const char *file)
{
	struct stored *template = &store->templates[store->template_count];
	size_t size = strlen(file) - strlen(ENDING);
	char path[4400];

	snprintf(path, sizeof path, "%s/%s", folder, file);
	template->name = (struct slice){arena_copy(&store->arena, file, size), size};
	if (!template->name.at || !read_file(path, &store->arena, MOST_FILE, &template->source)) {
		fprintf(stderr, "folio: cannot read %s: %s\n", path, strerror(errno));
		return false;
	}
	store->template_count++;
	return true;
}

static bool
load_templates(struct store *store, const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	bool done = true;

	store->templates = arena_array(&store->arena, MOST_STORED, sizeof *store->templates);
	if (!dir || !store->templates) {
		fprintf(stderr, "folio: cannot read the folder %s: %s\n", folder, strerror(errno));
		if (dir)
			closedir(dir);
		return false;
	}
	while (done && store->template_count < MOST_STORED && (entry = readdir(dir))) {
		size_t size = strlen(entry->d_name), ending = strlen(ENDING);

		if (entry->d_name[0] != '.' && size > ending &&
		    !strcmp(entry->d_name + size - ending, ENDING))
			done = load_template(store, folder, entry->d_name);
	}
	closedir(dir);
	qsort(store->templates, store->template_count, sizeof *store->templates, compare_stored);
	return done;
}

static bool
fail_line(unsigned line, const char *what)
{
	fprintf(stderr, "folio: documents.jsonl, line %u: %s\n", line, what);
	return false;
}

static bool
add_document(struct store *store, struct slice source, unsigned line)
{
	struct stored *document = &store->documents[store->document_count];
	struct json_error error;
	const struct value *id;

	document->source = source;
	if (!json_parse(source, &store->arena, &document->parsed, &error))
		return fail_line(line, error.what);
	id = document->parsed.kind == VALUE_MAP ? map_find(document->parsed.map, "id") : NULL;
	if (!id || id->kind != VALUE_STRING)
		return fail_line(line, "an object with an id was expected");
	document->name = value_slice(*id);
	store->document_count++;
	return true;
}

static bool
load_documents(struct store *store, const char *path)
{
	struct slice content;
	unsigned line = 0;

	store->documents = arena_array(&store->arena, MOST_STORED, sizeof *store->documents);
	if (!store->documents || !read_file(path, &store->arena, MOST_FILE, &content)) {
		fprintf(stderr, "folio: cannot read %s: %s\n", path, strerror(errno));
		return false;
	}
	while (content.size) {
		struct slice source = slice_trim(slice_cut(content, '\n', &content));

		line++;
		if (source.size == 0)
			continue;
		if (store->document_count == MOST_STORED)
			return fail_line(line, "too many documents");
		if (!add_document(store, source, line))
			return false;
	}
	qsort(store->documents, store->document_count, sizeof *store->documents, compare_stored);
	return true;
}

bool
store_load(struct store *store, const char *folder)
{
	char path[4096];

	*store = (struct store){0};
	arena_init(&store->arena, MOST_HELD);
	if (strlen(folder) > sizeof path - 32) {
		fprintf(stderr, "folio: the data folder's name is too long\n");
		return false;
	}
	snprintf(path, sizeof path, "%.4000s/documents.jsonl", folder);
	if (!load_documents(store, path))
		return false;
	snprintf(path, sizeof path, "%.4000s/templates", folder);
	return load_templates(store, path);
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
