/* requests.c: see requests.h. */
#include "requests.h"

#include <errno.h>
#include <stdio.h>

#include "store.h"

#define MOST_REQUESTS 4096
#define MOST_FILE ((size_t)1 << 20)
#define MOST_HELD ((size_t)64 << 20)

struct slice
request_compose(struct arena *arena, struct slice method, struct slice path, const char *body_path)
{
	struct slice body = {"", 0}, composed = {NULL, 0};
	struct text text;

	if (body_path && !read_file(body_path, arena, MOST_FILE, &body)) {
		fprintf(stderr, "folio: cannot read the body %s: %s\n", body_path, strerror(errno));
		return composed;
	}
	text_init(&text, MOST_FILE * 2);
	text_put(&text, method.at, method.size);
	text_char(&text, ' ');
	text_put(&text, path.at, path.size);
	text_string(
	    &text, " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: folio-load\r\nAccept: */*\r\n");
	if (body_path) {
		text_string(&text, "Content-Type: application/json\r\nContent-Length: ");
		text_integer(&text, (int64_t)body.size);
		text_string(&text, "\r\n");
	}
	text_string(&text, "\r\n");
	text_put(&text, body.at, body.size);
	if (!text.failed)
		composed = (struct slice){arena_copy(arena, text.bytes, text.size), text.size};
	if (!composed.at)
		fprintf(stderr, "folio: a request is too large\n");
	text_release(&text);
	return composed;
}

/* "METHOD PATH [@FILE]" of the list in `folder`. */
static bool
add_line(struct request_list *list, struct slice folder, struct slice line)
{
	struct slice file, path, method = slice_cut(line, ' ', &path);
	char body_path[4096];
	int size = 0;

	path = slice_cut(slice_trim(path), ' ', &file);
	file = slice_trim(file);
	if (path.size == 0 || path.at[0] != '/' || (file.size && file.at[0] != '@')) {
		fprintf(
		    stderr, "folio: not \"METHOD PATH [@FILE]\": %.*s\n", (int)line.size, line.at);
		return false;
	}
	if (file.size)
		size = snprintf(body_path, sizeof body_path, "%.*s%.*s", (int)folder.size,
		    folder.at, (int)file.size - 1, file.at + 1);
	if (size < 0 || (size_t)size >= sizeof body_path) {
		fprintf(stderr, "folio: the name of a body file is too long\n");
		return false;
	}
	list->items[list->count] =
	    request_compose(&list->arena, method, path, file.size ? body_path : NULL);
	return list->items[list->count++].at != NULL;
}

bool
request_list_load(struct request_list *list, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct slice folder = {path, slash ? (size_t)(slash - path) + 1 : 0};
	struct slice content;

	*list = (struct request_list){0};
	arena_init(&list->arena, MOST_HELD);
	list->items = arena_array(&list->arena, MOST_REQUESTS, sizeof *list->items);
	if (!list->items || !read_file(path, &list->arena, MOST_FILE, &content)) {
		fprintf(stderr, "folio: cannot read %s: %s\n", path, strerror(errno));
		return false;
	}
	while (content.size) {
		struct slice line = slice_trim(slice_cut(content, '\n', &content));

		if (line.size == 0 || line.at[0] == '#')
			continue;
		if (list->count == MOST_REQUESTS || !add_line(list, folder, line))
			return false;
	}
	if (list->count == 0)
		fprintf(stderr, "folio: %s has no requests\n", path);
	return list->count != 0;
}

void
request_list_release(struct request_list *list)
{
	arena_release(&list->arena);
	*list = (struct request_list){0};
}
