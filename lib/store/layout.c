/* layout.c: see layout.h. */
#include "store/layout.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/error.h"
#include "core/memory.h"

static const char format_line[] = "profuse-store 1\n";

enum { FOLDER_MODE = 0750, FILE_MODE = 0640, PATIENCE_STEP_NANOS = 50000000 };
enum { REPAIR_PATIENCE = 30 }; /* seconds */

static int
check_format(int root, const char *path, struct pf_error *err)
{
	char line[64] = "";
	int fd = openat(root, "format", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof line - 1);

	if (fd >= 0)
		close(fd);
	if (n < 0 && errno != ENOENT)
		return pf_error_errno(err, "cannot read the store", path);
	if (n < 0)
		return pf_error_set(err, PF_EINPUT,
		    "%s is no profile store (it has no file \"format\"); profuse collect "
		    "--config FILE --store %s makes one",
		    path, path);
	if (strcmp(line, format_line) == 0)
		return 0;
	if (strncmp(line, format_line, strlen("profuse-store ")) == 0)
		return pf_error_set(err, PF_EINPUT,
		    "%s is a store of another version (%.*s); this profuse reads version 1", path,
		    (int)strcspn(line, "\n"), line);
	return pf_error_set(err, PF_EINPUT, "%s/format is not that of a profile store", path);
}

/* The format file goes in last: a folder without it is no store yet. */
static int
write_format(int root, const char *path, struct pf_error *err)
{
	int fd = openat(root, "tmp/format", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
	size_t size = strlen(format_line);
	int bad;

	if (fd < 0)
		return pf_error_errno(err, "cannot write in", path);
	bad = write(fd, format_line, size) != (ssize_t)size || fsync(fd);
	bad |= close(fd);
	if (bad || renameat(root, "tmp/format", root, "format"))
		return pf_error_errno(err, "cannot write in", path);
	return pf_layout_sync(root, "format", err);
}

/* Whether the folder holds nothing that isn't ours to have made. */
static bool
is_empty(int root)
{
	static const char *const own[] = {"journal", "seg", "pins", "tmp", "lock"};
	int copy = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	bool empty = d != NULL;

	while (d && empty && (entry = readdir(d))) {
		empty = entry->d_name[0] == '.' || strcmp(entry->d_name, "lost+found") == 0;
		for (size_t i = 0; i < sizeof own / sizeof *own; i++)
			empty |= strcmp(entry->d_name, own[i]) == 0;
	}
	if (d)
		closedir(d);
	return empty;
}

static int
make_folders(int root, const char *path, struct pf_error *err)
{
	static const char *const folders[] = {"journal", "seg", "pins", "tmp"};

	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		if (mkdirat(root, folders[i], FOLDER_MODE) && errno != EEXIST)
			return pf_error_errno(err, "cannot make folders in", path);
	}
	return 0;
}

/* mkdir -p. */
static int
make_path(const char *path, struct pf_error *err)
{
	char *copy;
	int rc = pf_copy_string(&copy, path, err);

	for (char *at = copy; !rc && at; at++) {
		at = strchr(at + 1, '/');
		if (at)
			*at = '\0';
		if (mkdir(copy, FOLDER_MODE) && errno != EEXIST)
			rc = pf_error_errno(err, "cannot make the folder", copy);
		if (!at)
			break;
		*at = '/';
	}
	free(copy);
	return rc;
}

int
pf_layout_open(int *root, const char *path, bool create, struct pf_error *err)
{
	int rc = create ? make_path(path, err) : 0;

	*root = rc ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rc)
		return rc;
	if (*root < 0 && errno == ENOENT)
		return pf_error_set(err, PF_EIO,
		    "there is no store %s; --store DIR or PROFUSE_STORE names another", path);
	if (*root < 0)
		return pf_error_errno(err, "cannot open the store", path);
	if (create && faccessat(*root, "format", F_OK, 0)) {
		if (!is_empty(*root))
			rc = pf_error_set(err, PF_EINPUT,
			    "%s is no profile store and not empty; name another folder", path);
		if (!rc)
			rc = make_folders(*root, path, err);
		if (!rc)
			rc = write_format(*root, path, err);
	}
	if (!rc)
		rc = check_format(*root, path, err);
	if (!rc && create)
		rc = make_folders(*root, path, err);
	if (rc) {
		close(*root);
		*root = -1;
	}
	return rc;
}

/* Who holds the lock: a process number; 0: a repair, which is over soon. */
static long
holder(int root)
{
	char text[32] = "";
	int fd = openat(root, "lock", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (fd >= 0)
		close(fd);
	return n > 0 ? strtol(text, NULL, 10) : -1;
}

static void
write_holder(int lock, long pid)
{
	char text[32];
	int size = snprintf(text, sizeof text, "%ld\n", pid);

	if (ftruncate(lock, 0) == 0 && pwrite(lock, text, (size_t)size, 0) != size)
		return; /* only a hint */
}

int
pf_layout_lock(
    int root, const char *path, double patience, bool brief, int *lock, struct pf_error *err)
{
	int fd = openat(root, "lock", O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
	double waited = 0;

	*lock = -1;
	if (fd < 0)
		return pf_error_errno(err, "cannot open the lock of the store", path);
	while (flock(fd, LOCK_EX | LOCK_NB)) {
		struct timespec step = {.tv_nsec = PATIENCE_STEP_NANOS};
		if (errno != EWOULDBLOCK && errno != EINTR) {
			int rc = pf_error_errno(err, "cannot lock the store", path);
			close(fd);
			return rc;
		}
		if (waited >= patience && (holder(root) != 0 || waited >= REPAIR_PATIENCE)) {
			close(fd);
			return 0;
		}
		nanosleep(&step, NULL);
		waited += (double)PATIENCE_STEP_NANOS * 1e-9;
	}
	write_holder(fd, brief ? 0 : (long)getpid());
	*lock = fd;
	return 0;
}

int
pf_layout_locked(int root, const char *path, struct pf_error *err)
{
	return pf_error_set(err, PF_EIO,
	    "the store %s is in use: process %ld writes to it; stop that one, or give this one a "
	    "store of its own (several are read together with --store A --store B)",
	    path, holder(root));
}

int
pf_layout_sync(int root, const char *relative, struct pf_error *err)
{
	char folder[PF_LAYOUT_PATH] = ".";
	const char *slash = strrchr(relative, '/');
	int fd, bad;

	if (slash)
		snprintf(folder, sizeof folder, "%.*s", (int)(slash - relative), relative);
	fd = openat(root, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bad = fd < 0 || (fsync(fd) && errno != EINVAL);
	if (fd >= 0)
		close(fd);
	return bad ? pf_error_errno(err, "cannot sync the store's folder", folder) : 0;
}

int
pf_layout_make_way(int root, const char *relative, struct pf_error *err)
{
	char folder[PF_LAYOUT_PATH];
	int rc = 0;

	for (const char *slash = strchr(relative, '/'); !rc && slash;
	    slash = strchr(slash + 1, '/')) {
		snprintf(folder, sizeof folder, "%.*s", (int)(slash - relative), relative);
		if (mkdirat(root, folder, FOLDER_MODE) == 0)
			rc = pf_layout_sync(root, folder, err);
		else if (errno != EEXIST)
			rc = pf_error_errno(err, "cannot make the store's folder", folder);
	}
	return rc;
}

int
pf_layout_each(int root, const char *folder, int (*each)(void *data, const char *name), void *data,
    struct pf_error *err)
{
	int fd = openat(root, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int rc = 0;

	if (!d && fd < 0 && errno == ENOENT)
		return 0;
	if (!d) {
		rc = pf_error_errno(err, "cannot read the store's folder", folder);
		if (fd >= 0)
			close(fd);
		return rc;
	}
	while (!rc && (entry = readdir(d))) {
		if (entry->d_name[0] != '.')
			rc = each(data, entry->d_name);
	}
	closedir(d);
	return rc;
}

struct walk {
	int root, depth;
	char path[PF_LAYOUT_PATH];
	int (*each)(void *data, const char *relative);
	void *data;
	struct pf_error *err;
};

static bool
is_hexadecimal(const char *name, size_t size)
{
	return strlen(name) == size && strspn(name, "0123456789abcdef") == size;
}

/* Names that are not ours are left alone. */
static int
walk_name(void *data, const char *name)
{
	static const size_t sizes[] = {10, 2, 64};
	struct walk *w = data;
	size_t length = strlen(w->path);
	int rc;

	if (!is_hexadecimal(name, sizes[w->depth]))
		return 0;
	snprintf(w->path + length, sizeof w->path - length, "/%s", name);
	w->depth++;
	if (w->depth == 3)
		rc = w->each(w->data, w->path);
	else
		rc = pf_layout_each(w->root, w->path, walk_name, w, w->err);
	w->depth--;
	w->path[length] = '\0';
	return rc;
}

int
pf_layout_each_segment(
    int root, int (*each)(void *data, const char *relative), void *data, struct pf_error *err)
{
	struct walk w = {.root = root, .path = "seg", .each = each, .data = data, .err = err};

	return pf_layout_each(root, "seg", walk_name, &w, err);
}

void
pf_layout_segment(char *path, int64_t hour, unsigned bucket, const char *hex)
{
	time_t seconds = (time_t)(hour * 3600);
	struct tm tm;
	char text[32] = "1970010100";

	if (gmtime_r(&seconds, &tm) && tm.tm_year + 1900 <= 9999)
		strftime(text, sizeof text, "%Y%m%d%H", &tm);
	snprintf(path, PF_LAYOUT_PATH, "seg/%s/%02x/%s", text, bucket, hex);
}

void
pf_layout_journal(char *path, uint64_t sequence)
{
	snprintf(path, PF_LAYOUT_PATH, "journal/%016" PRIx64 ".log", sequence);
}

uint64_t
pf_layout_journal_number(const char *name)
{
	if (strlen(name) != 20 || strcmp(name + 16, ".log") != 0 ||
	    strspn(name, "0123456789abcdef") != 16)
		return 0;
	return strtoull(name, NULL, 16);
}
