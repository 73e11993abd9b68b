/* file.c: reading and atomically writing whole files; see file.h. */
#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/memory.h"

enum { CHUNK = 1 << 16 };

static int
read_all(int fd, const char *path, struct pf_buffer *out, struct pf_error *err)
{
	for (;;) {
		size_t left = out->maximum - out->size, room = left < CHUNK ? left : CHUNK;
		uint8_t extra, *to = left ? pf_buffer_reserve(out, room) : &extra;
		ssize_t n;

		if (!to)
			return pf_error_nomem(err);
		n = read(fd, to, left ? room : 1);
		if (n == 0)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return pf_error_errno(err, "cannot read", path);
		if (!left)
			return pf_error_set(err, PF_EINPUT,
			    "%s: larger than the %zu bytes allowed; --max-size lifts the cap", path,
			    out->maximum);
		out->size += (size_t)n;
	}
}

const char *
pf_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

bool
pf_is_program(const void *bytes, size_t size)
{
	return size >= 4 && memcmp(bytes, "\177ELF", 4) == 0;
}

int
pf_file_read(const char *path, struct pf_buffer *out, struct pf_error *err)
{
	int fd, rc;

	if (strcmp(path, "-") == 0)
		return read_all(STDIN_FILENO, "standard input", out, err);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return pf_error_errno(err, "cannot open", path);
	rc = read_all(fd, path, out, err);
	close(fd);
	return rc;
}

static int
write_all(int fd, const char *path, const uint8_t *bytes, size_t size, struct pf_error *err)
{
	while (size) {
		ssize_t n = write(fd, bytes, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return pf_error_errno(err, "cannot write", path);
		bytes += n;
		size -= (size_t)n;
	}
	return 0;
}

static int
write_in_place(const char *path, const void *bytes, size_t size, struct pf_error *err)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return pf_error_errno(err, "cannot open", path);
	rc = write_all(fd, path, bytes, size, err);
	if (close(fd) && !rc)
		rc = pf_error_errno(err, "cannot write", path);
	return rc;
}

/* The mode a new file gets by open(2), or that of the file it replaces. */
static mode_t
target_mode(const struct stat *old)
{
	mode_t mask;

	if (old)
		return old->st_mode & 07777;
	mask = umask(0);
	umask(mask);
	return 0666 & ~mask;
}

/* An empty file in the path's folder; *temporary is its name, the caller's, NULL after a failure. */
static int
create_beside(const char *path, char **temporary, int *fd, struct pf_error *err)
{
	size_t length = strlen(path) + sizeof ".XXXXXX";
	int rc;

	*temporary = malloc(length);
	if (!*temporary)
		return pf_error_nomem(err);
	snprintf(*temporary, length, "%s.XXXXXX", path);
	*fd = mkostemp(*temporary, O_CLOEXEC);
	if (*fd >= 0)
		return 0;
	rc = pf_error_errno(err, "cannot create a file beside", path);
	free(*temporary);
	*temporary = NULL;
	return rc;
}

/* A whole file beside its place, under a name of its own. */
static int
write_beside(char **temporary, const char *path, const struct stat *old, const void *bytes,
    size_t size, struct pf_error *err)
{
	int fd = -1, rc = create_beside(path, temporary, &fd, err);

	if (rc)
		return rc;
	rc = write_all(fd, path, bytes, size, err);
	if (!rc && fchmod(fd, target_mode(old)))
		rc = pf_error_errno(err, "cannot set the mode of", path);
	if (!rc && fsync(fd) && errno != EINVAL)
		rc = pf_error_errno(err, "cannot write", path);
	if (close(fd) && !rc)
		rc = pf_error_errno(err, "cannot write", path);
	if (rc) {
		unlink(*temporary);
		free(*temporary);
		*temporary = NULL;
	}
	return rc;
}

/* What stands where a file is to be written: *old, and whether there is anything. A folder is refused. */
static int
look_at_target(const char *path, struct stat *old, bool *there, struct pf_error *err)
{
	*there = stat(path, old) == 0;
	if (*there && S_ISDIR(old->st_mode))
		return pf_error_set(err, PF_EIO, "cannot write %s: it is a folder", path);
	return 0;
}

int
pf_file_check_output(const char *path, struct pf_error *err)
{
	struct stat old;
	char *temporary;
	bool there;
	int fd = -1, rc;

	if (strcmp(path, "-") == 0)
		return 0;
	rc = look_at_target(path, &old, &there, err);
	if (!rc && there && !S_ISREG(old.st_mode))
		return access(path, W_OK) ? pf_error_errno(err, "cannot write", path) : 0;
	if (!rc)
		rc = create_beside(path, &temporary, &fd, err);
	if (rc)
		return rc;
	close(fd);
	unlink(temporary);
	free(temporary);
	return 0;
}

int
pf_file_prepare(struct pf_file_pending *pending, const char *path, const void *bytes, size_t size,
    struct pf_error *err)
{
	struct stat old;
	bool there;
	int rc = look_at_target(path, &old, &there, err);

	*pending = (struct pf_file_pending){0};
	if (!rc)
		rc = pf_copy_string(&pending->path, path, err);
	if (!rc)
		rc = write_beside(&pending->temporary, path, there ? &old : NULL, bytes, size, err);
	if (rc)
		pf_file_drop(pending);
	return rc;
}

int
pf_file_place(struct pf_file_pending *pending, struct pf_error *err)
{
	int rc = rename(pending->temporary, pending->path)
		     ? pf_error_errno(err, "cannot rename to", pending->path)
		     : 0;

	if (!rc) {
		free(pending->temporary);
		pending->temporary = NULL;
	}
	pf_file_drop(pending);
	return rc;
}

void
pf_file_drop(struct pf_file_pending *pending)
{
	if (pending->temporary)
		unlink(pending->temporary);
	free(pending->temporary);
	free(pending->path);
	*pending = (struct pf_file_pending){0};
}

int
pf_file_write(const char *path, const void *bytes, size_t size, struct pf_error *err)
{
	struct pf_file_pending pending;
	struct stat old;
	bool there;
	int rc;

	if (strcmp(path, "-") == 0)
		return write_all(STDOUT_FILENO, "standard output", bytes, size, err);
	rc = look_at_target(path, &old, &there, err);
	if (rc)
		return rc;
	if (there && !S_ISREG(old.st_mode))
		return write_in_place(path, bytes, size, err);
	rc = pf_file_prepare(&pending, path, bytes, size, err);
	return rc ? rc : pf_file_place(&pending, err);
}
