/*
 * separate.c: the file that holds the debug information of a stripped binary.
 *
 * Looked for where debuggers look: /usr/lib/debug/.build-id/ab/cdef….debug,
 * then the name in .gnu_debuglink beside the binary, in .debug/ beside it and
 * under /usr/lib/debug. A file of another build is worse than none, so it must
 * carry the same build id or, where the binary has none, the link's checksum.
 * The link's name is untrusted: one with a slash in it is ignored.
 */
#include "symbol/binary_private.h"

#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "core/error.h"

#define DEBUG_ROOT "/usr/lib/debug"

struct link {
	const char *name; /* "" if there is none */
	uint32_t checksum;
};

static struct link
read_link(const struct pf_elf *file)
{
	struct link link = {.name = ""};
	Elf_Scn *section = pf_elf_section(file, ".gnu_debuglink");
	GElf_Shdr header;
	const char *bytes;
	size_t length, at;

	if (!section || !gelf_getshdr(section, &header) || header.sh_size < 8)
		return link;
	bytes = (const char *)file->image + header.sh_offset;
	length = strnlen(bytes, header.sh_size);
	at = (length + 4) & ~(size_t)3;
	if (length == 0 || header.sh_size < 4 || at > header.sh_size - 4 ||
	    memchr(bytes, '/', length))
		return link;
	link.name = bytes;
	memcpy(&link.checksum, bytes + at, 4);
	return link;
}

/* Opens `path` if it is the debug information of this binary; other failures than memory mean "no". */
static int
try(struct pf_binary *binary, const struct link *link, const char *path, struct pf_error *err)
{
	char id[sizeof binary->build_id];
	struct pf_elf file;
	bool same;
	int rc;

	if (access(path, R_OK) != 0)
		return 0;
	rc = pf_elf_open(&file, path, err);
	if (rc)
		return rc == PF_ENOMEM ? rc : 0;
	pf_elf_build_id(&file, id, sizeof id);
	if (binary->build_id[0])
		same = strcmp(id, binary->build_id) == 0;
	else
		same = crc32_z(0, file.image, file.size) == link->checksum;
	if (same && pf_elf_debug_section(&file, "info"))
		binary->debug = file;
	else
		pf_elf_release(&file);
	return 0;
}

int
pf_separate_find(struct pf_binary *binary, struct pf_error *err)
{
	struct link link = read_link(&binary->main);
	const char *id = binary->build_id, *path = binary->main.path, *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash - path) : 1;
	char *real = NULL, name[8192];
	int rc = 0;

	if (pf_elf_debug_section(&binary->main, "info"))
		return 0;
	if (strlen(id) > 2) {
		snprintf(name, sizeof name, DEBUG_ROOT "/.build-id/%.2s/%s.debug", id, id + 2);
		rc = try(binary, &link, name, err);
	}
	if (!link.name[0])
		return rc;
	if (!slash)
		path = ".";
	for (int i = 0; i < 2 && !rc && !binary->debug.elf; i++) {
		snprintf(
		    name, sizeof name, "%.*s/%s%s", folder, path, i ? ".debug/" : "", link.name);
		rc = try(binary, &link, name, err);
	}
	if (rc || binary->debug.elf)
		return rc;
	real = realpath(binary->main.path, NULL);
	if (real) {
		snprintf(name, sizeof name, DEBUG_ROOT "%.*s/%s", (int)(strrchr(real, '/') - real),
		    real, link.name);
		rc = try(binary, &link, name, err);
	}
	free(real);
	return rc;
}
