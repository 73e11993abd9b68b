/* paths.c: what one PROFILE argument stands for; see file.h. */
#include "core/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/error.h"
#include "core/memory.h"

enum { LIST_MAXIMUM = 64 << 20 };

static int
append(
    struct pf_paths *paths, const char *folder, const char *name, size_t size, struct pf_error *err)
{
	size_t length = (folder ? strlen(folder) + 1 : 0) + size + 1;
	char *path;
	int rc = PF_GROW(paths->items, paths->capacity, paths->count + 1, err);

	if (rc)
		return rc;
	path = malloc(length);
	if (!path)
		return pf_error_nomem(err);
	snprintf(
	    path, length, "%s%s%.*s", folder ? folder : "", folder ? "/" : "", (int)size, name);
	paths->items[paths->count++] = path;
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
add_folder(struct pf_paths *paths, const char *folder, struct pf_error *err)
{
	size_t first = paths->count;
	DIR *d = opendir(folder);
	struct dirent *entry;
	int rc = 0;

	if (!d)
		return pf_error_errno(err, "cannot open", folder);
	while (!rc && (entry = readdir(d))) {
		struct stat st;
		if (entry->d_name[0] == '.' || fstatat(dirfd(d), entry->d_name, &st, 0) ||
		    !S_ISREG(st.st_mode))
			continue;
		rc = append(paths, folder, entry->d_name, strlen(entry->d_name), err);
	}
	closedir(d);
	if (!rc && paths->count == first)
		rc = pf_error_set(err, PF_EINPUT, "%s: no files in this folder", folder);
	if (!rc)
		qsort(paths->items + first, paths->count - first, sizeof *paths->items, by_name);
	return rc;
}

static int
add_list(struct pf_paths *paths, const char *list, struct pf_error *err)
{
	size_t first = paths->count;
	struct pf_buffer text;
	int rc;

	pf_buffer_init(&text, LIST_MAXIMUM);
	rc = pf_file_read(list, &text, err);
	for (size_t at = 0; !rc && at < text.size;) {
		const char *line = (const char *)text.bytes + at;
		const char *end = memchr(line, '\n', text.size - at);
		size_t size = end ? (size_t)(end - line) : text.size - at;

		at += size + 1;
		if (size && line[size - 1] == '\r')
			size--;
		if (size && line[0] != '#')
			rc = append(paths, NULL, line, size, err);
	}
	if (!rc && paths->count == first)
		rc = pf_error_set(err, PF_EINPUT, "%s: the list names no file", list);
	pf_buffer_release(&text);
	return rc;
}

int
pf_paths_add(struct pf_paths *paths, const char *argument, struct pf_error *err)
{
	struct stat st;

	if (argument[0] == '@' && argument[1])
		return add_list(paths, argument + 1, err);
	if (strcmp(argument, "-") != 0 && stat(argument, &st) == 0 && S_ISDIR(st.st_mode))
		return add_folder(paths, argument, err);
	return append(paths, NULL, argument, strlen(argument), err);
}

void
pf_paths_release(struct pf_paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		free(paths->items[i]);
	free(paths->items);
	*paths = (struct pf_paths){0};
}
