/*
 * separate.c: files that hold the debug information of a stripped binary, or a
 * part of it that dwz shares between binaries.
 *
 * Looked for where debuggers look: the files and folders that the user named,
 * then the binary itself, /usr/lib/debug/.build-id/ab/cdef….debug, the name in
 * .gnu_debuglink beside the binary, in .debug/ beside it and under
 * /usr/lib/debug, and at last the servers in DEBUGINFOD_URLS. A file of another
 * build is worse than none, so it must carry the same build id or, where the
 * binary has none, the link's checksum. Names in a binary are untrusted: a link
 * with a slash in it is ignored, and only regular files that fit are used.
 */
#include "symbol/binary_private.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "core/error.h"
#include "core/memory.h"
#include "symbol/debuginfod.h"
#include "symbol/dwarf_cursor.h"
#include "symbol/dwarf_private.h"

#define DEBUG_ROOT "/usr/lib/debug"
#define ID_SIZE (2 * 64 + 1)

struct link {
	const char *name; /* "" if there is none */
	uint32_t checksum;
};

static struct link
read_link(const struct pf_elf *file)
{
	struct link link = {.name = ""};
	struct pf_bytes bytes;
	Elf64_Shdr header;
	size_t length, at;

	if (!pf_elf_named(file, ".gnu_debuglink", &header))
		return link;
	bytes = pf_elf_bytes(file, &header);
	length = strnlen((const char *)bytes.at, bytes.size);
	at = (length + 4) & ~(size_t)3;
	if (length == 0 || bytes.size < 8 || at > bytes.size - 4 || memchr(bytes.at, '/', length))
		return link;
	link.name = (const char *)bytes.at;
	memcpy(&link.checksum, bytes.at + at, 4);
	return link;
}

static bool
is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool
is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Whether an open file is of the binary's build. Without identities the names decide, for a file the user named. */
static bool
belongs(
    const struct pf_binary *binary, const struct link *link, const struct pf_elf *file, bool named)
{
	const char *base = base_name(binary->main.path);
	char id[sizeof binary->build_id];

	pf_elf_build_id(file, id, sizeof id);
	if (binary->build_id[0])
		return strcmp(id, binary->build_id) == 0;
	if (link->name[0] && crc32_z(0, file->image, file->size) == link->checksum)
		return true;
	return named && !id[0] && strncmp(base_name(file->path), base, strlen(base)) == 0;
}

/* Opens `path` if it is the debug information of this binary; other failures than memory mean "no". */
static int
try(struct pf_binary *binary, const struct link *link, const char *path, struct pf_error *err)
{
	struct pf_elf file;
	int rc;

	if (!is_file(path))
		return 0;
	rc = pf_elf_open(&file, path, PF_ELF_LINKED, err);
	if (rc)
		return rc == PF_ENOMEM ? rc : 0;
	if (belongs(binary, link, &file, false) && pf_elf_has_debug(&file, "info"))
		binary->debug = file;
	else
		pf_elf_release(&file);
	return 0;
}

/* A file that the user named must be readable debug information, of whatever binary. */
static int
try_named(struct pf_binary *binary, const struct link *link, const char *path, struct pf_error *err)
{
	struct pf_elf file;
	int rc = pf_elf_open(&file, path, PF_ELF_LINKED, err);

	if (rc) {
		pf_error_prefix(err, "debug file");
		return rc;
	}
	if (!pf_elf_has_debug(&file, "info"))
		rc = pf_error_set(err, PF_EINPUT,
		    "debug file %s has no debug information (no .debug_info section)", path);
	else if (belongs(binary, link, &file, true)) {
		binary->debug = file;
		return 0;
	}
	pf_elf_release(&file);
	return rc;
}

static void
path_by_id(char *path, size_t size, const char *root, const char *id)
{
	snprintf(path, size, "%s/.build-id/%.2s/%s.debug", root, id, id + 2);
}

/*
 * The files that lie in a folder themselves, whatever they are called, in the order of their names: only a build id
 * tells which one it is.
 */
static int
try_folder(
    struct pf_binary *binary, const struct link *link, const char *folder, struct pf_error *err)
{
	struct dirent **entries = NULL;
	int count = binary->build_id[0] ? scandir(folder, &entries, NULL, alphasort) : 0, rc = 0;
	char path[8192];

	for (int i = 0; i < count; i++) {
		int size = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);

		if (!rc && !binary->debug.image && size < (int)sizeof path)
			rc = try(binary, link, path, err);
		free(entries[i]);
	}
	free(entries);
	return rc;
}

/* What the user named: files first, then folders. */
static int
find_named(struct pf_binary *binary, const struct link *link,
    const struct pf_binary_options *options, struct pf_error *err)
{
	char path[8192];
	int rc = 0;

	for (size_t i = 0; i < options->debug_file_count && !rc && !binary->debug.image; i++) {
		if (!is_folder(options->debug_files[i]))
			rc = try_named(binary, link, options->debug_files[i], err);
	}
	for (size_t i = 0; i < options->debug_file_count && !rc && !binary->debug.image; i++) {
		const char *folder = options->debug_files[i];
		if (!is_folder(folder))
			continue;
		binary->folders_searched = true;
		if (strlen(binary->build_id) > 2) {
			path_by_id(path, sizeof path, folder, binary->build_id);
			rc = try(binary, link, path, err);
		}
		if (!rc && !binary->debug.image && link->name[0]) {
			snprintf(path, sizeof path, "%s/%s", folder, link->name);
			rc = try(binary, link, path, err);
		}
		if (!rc && !binary->debug.image)
			rc = try_folder(binary, link, folder, err);
	}
	return rc;
}

/* By the name in .gnu_debuglink. */
static int
find_linked(struct pf_binary *binary, const struct link *link, struct pf_error *err)
{
	const char *path = binary->main.path, *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash - path) : 1, rc = 0;
	char name[8192], *real;

	if (!link->name[0])
		return 0;
	if (!slash)
		path = ".";
	for (int i = 0; i < 2 && !rc && !binary->debug.image; i++) {
		snprintf(
		    name, sizeof name, "%.*s/%s%s", folder, path, i ? ".debug/" : "", link->name);
		rc = try(binary, link, name, err);
	}
	real = rc || binary->debug.image ? NULL : realpath(binary->main.path, NULL);
	if (real) {
		snprintf(name, sizeof name, DEBUG_ROOT "%.*s/%s", (int)(strrchr(real, '/') - real),
		    real, link->name);
		rc = try(binary, link, name, err);
	}
	free(real);
	return rc;
}

const char *
pf_separate_link(const struct pf_elf *file)
{
	return read_link(file).name;
}

int
pf_separate_find(
    struct pf_binary *binary, const struct pf_binary_options *options, struct pf_error *err)
{
	struct link link = read_link(&binary->main);
	char name[8192], *fetched = NULL;
	int rc = find_named(binary, &link, options, err);

	if (rc || binary->debug.image || pf_elf_has_debug(&binary->main, "info"))
		return rc;
	if (strlen(binary->build_id) > 2) {
		path_by_id(name, sizeof name, DEBUG_ROOT, binary->build_id);
		rc = try(binary, &link, name, err);
	}
	if (!rc && !binary->debug.image)
		rc = find_linked(binary, &link, err);
	if (rc || binary->debug.image)
		return rc;
	rc = pf_debuginfod_find(binary, binary->main.path, binary->build_id, &fetched, err);
	if (!rc && fetched)
		rc = try(binary, &link, fetched, err);
	free(fetched);
	return rc;
}

static bool
is_used(struct pf_binary *const *binaries, size_t count, const char *path)
{
	for (size_t i = 0; i < count; i++) {
		if (binaries[i]->debug.path && strcmp(binaries[i]->debug.path, path) == 0)
			return true;
	}
	return false;
}

int
pf_binaries_check_debug_files(struct pf_binary *const *binaries, size_t count,
    const struct pf_binary_options *options, struct pf_error *err)
{
	char id[ID_SIZE];

	for (size_t i = 0; i < options->debug_file_count; i++) {
		const char *path = options->debug_files[i];
		struct pf_elf file;
		if (is_folder(path) || is_used(binaries, count, path))
			continue;
		if (count == 0)
			return pf_error_set(err, PF_EUSAGE,
			    "debug file %s is of no use without its binary; name that too", path);
		if (pf_elf_open(&file, path, PF_ELF_LINKED, err))
			return err ? err->code : PF_EINPUT;
		pf_elf_build_id(&file, id, sizeof id);
		pf_elf_release(&file);
		return pf_error_set(err, PF_EINPUT,
		    "debug file %s is of another build (build id %s) than %s (build id %s)%s; "
		    "find the one that was made with it",
		    path, id[0] ? id : "none", binaries[0]->main.path,
		    binaries[0]->build_id[0] ? binaries[0]->build_id : "none",
		    count > 1 ? " and the other binaries" : "");
	}
	return 0;
}

/* The name and identity of the supplementary file, from .gnu_debugaltlink or DWARF 5's .debug_sup. */
static const char *
read_supplementary(const struct pf_elf *file, char id[ID_SIZE])
{
	struct pf_bytes bytes;
	struct pf_cursor c;
	Elf64_Shdr header;
	const char *name;
	uint64_t size;
	bool standard = false;

	id[0] = '\0';
	if (!pf_elf_named(file, ".gnu_debugaltlink", &header)) {
		standard = pf_elf_named(file, ".debug_sup", &header);
		if (!standard)
			return NULL;
	}
	bytes = pf_elf_bytes(file, &header);
	pf_cursor_init(&c, ".gnu_debugaltlink", bytes.at, bytes.size);
	if (standard)
		pf_cursor_skip(&c, 3); /* version; whether this is the supplementary file itself */
	name = pf_dwarf_string(&c);
	size = standard ? pf_cursor_varint(&c) : pf_cursor_left(&c);
	if (c.failure || size == 0 || size > (ID_SIZE - 1) / 2 || size > pf_cursor_left(&c))
		return NULL;
	pf_elf_hex(id, c.at, size);
	return name;
}

/* Opens `path` if it is the supplementary file of this identity. */
static int
try_supplementary(struct pf_debug_file *out, const char *path, const char *id, struct pf_error *err)
{
	char build_id[ID_SIZE], own[ID_SIZE];
	struct pf_elf file;
	int rc;

	if (!is_file(path))
		return 0;
	rc = pf_elf_open(&file, path, PF_ELF_ANY, err);
	if (rc)
		return rc == PF_ENOMEM ? rc : 0;
	pf_elf_build_id(&file, build_id, sizeof build_id);
	read_supplementary(&file, own);
	if (strcmp(build_id, id) != 0 && strcmp(own, id) != 0) {
		pf_elf_release(&file);
		return 0;
	}
	out->elf = file;
	return pf_debug_file_init(out, &out->elf, false, err);
}

int
pf_supplementary_find(const struct pf_binary *binary, const struct pf_elf *file,
    struct pf_debug_file *out, struct pf_error *err)
{
	char id[ID_SIZE], path[8192], *real = NULL, *fetched = NULL;
	const char *name = read_supplementary(file, id);
	int rc = 0;

	if (!name)
		return 0;
	real = realpath(file->path, NULL);
	if (name[0] == '/')
		snprintf(path, sizeof path, "%s", name);
	else
		snprintf(path, sizeof path, "%.*s/%s", real ? (int)(strrchr(real, '/') - real) : 1,
		    real ? real : ".", name);
	free(real);
	rc = try_supplementary(out, path, id, err);
	if (!rc && !out->elf.image && strlen(id) > 2) {
		path_by_id(path, sizeof path, DEBUG_ROOT, id);
		rc = try_supplementary(out, path, id, err);
	}
	if (!rc && !out->elf.image)
		rc = pf_debuginfod_find(binary, name, id, &fetched, err);
	if (fetched)
		rc = try_supplementary(out, fetched, id, err);
	free(fetched);
	if (!rc && !out->elf.image)
		pf_binary_note(binary,
		    "%s refers to a supplementary debug file, %s (build id %s), which was not "
		    "found: names and lines of functions that dwz moved there are missing",
		    file->path, name, id);
	return rc;
}
