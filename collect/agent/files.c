/* files.c: see files.h. */
#include "collect/agent/files.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LEVEL = 4 };

int
pf_files_gzip(const struct pf_buffer *in, struct pf_buffer *out)
{
	struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(LEVEL);
	size_t bound, size = 0;
	uint8_t *to;

	if (compressor) {
		bound = libdeflate_gzip_compress_bound(compressor, in->size);
		to = pf_buffer_reserve(out, bound);
		if (to)
			size = libdeflate_gzip_compress(compressor, in->bytes, in->size, to, bound);
		libdeflate_free_compressor(compressor);
	}
	if (size) {
		out->size += size;
		return 0;
	}
	pf_buffer_clear(out);
	pf_buffer_add(out, in->bytes, in->size);
	return out->failed ? -ENOMEM : 0;
}

/* The program's name with everything but letters, digits, '.', '_', '-' replaced. */
static void
safe_program(char *to, size_t size)
{
	snprintf(to, size, "%s", pf_host_program());
	for (char *p = to; *p; p++)
		if (!(*p >= 'a' && *p <= 'z') && !(*p >= 'A' && *p <= 'Z') &&
		    !(*p >= '0' && *p <= '9') && !(*p == '.' && p != to) && *p != '_' && *p != '-')
			*p = '_';
}

static int
write_all(int fd, const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size > 0) {
		ssize_t n = write(fd, at, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

/* Creates `path` whole; with `keep` the descriptor stays open, locked. */
static int
publish(const char *path, const void *bytes, size_t size, struct pf_own_fd *keep)
{
	char temporary[1300];
	int rc, fd;

	if ((size_t)snprintf(temporary, sizeof temporary, "%s.%d.tmp", path, (int)getpid()) >=
	    sizeof temporary)
		return -ENAMETOOLONG;
	unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	rc = write_all(fd, bytes, size);
	if (!rc && keep && flock(fd, LOCK_EX | LOCK_NB))
		rc = -errno;
	if (!rc && rename(temporary, path))
		rc = -errno;
	if (rc)
		unlink(temporary);
	if (!rc && keep)
		*keep = pf_own_fd_take(fd);
	else
		close(fd);
	return rc;
}

int
pf_files_profile(const char *folder, const struct pf_buffer *profile)
{
	char path[1200], program[64], when[32];
	time_t now = time(NULL);
	struct stat st;
	struct tm utc;

	safe_program(program, sizeof program);
	gmtime_r(&now, &utc);
	strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &utc);
	for (int i = 0; i < 100; i++) { /* several may end in one second */
		char again[8] = "";
		if (i)
			snprintf(again, sizeof again, ".%d", i);
		snprintf(path, sizeof path, "%s/%s-%d-%s%s.pb.gz", folder, program, (int)getpid(),
		    when, again);
		if (lstat(path, &st))
			return publish(path, profile->bytes, profile->size, NULL);
	}
	return -EEXIST;
}

/* "127.0.0.1:2121", "[::1]:2121". */
static void
address_text(const struct sockaddr *address, char *to, size_t size)
{
	char host[INET6_ADDRSTRLEN] = "";

	if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
		inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
		snprintf(to, size, "[%s]:%d", host, ntohs(v6->sin6_port));
	} else {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
		inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
		snprintf(to, size, "%s:%d", host, ntohs(v4->sin_port));
	}
}

static bool
is_announcement(const char *name)
{
	size_t n = strlen(name);

	return n > 5 && !strcmp(name + n - 5, ".json") && *name != '.';
}

void
pf_announce_clean(const char *folder)
{
	char path[1300], head[48];
	struct dirent *entry;
	DIR *dir = opendir(folder);

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		int fd;
		if (!is_announcement(entry->d_name) || (size_t)snprintf(path, sizeof path, "%s/%s",
							   folder, entry->d_name) >= sizeof path)
			continue;
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		if (fd < 0)
			continue;
		ssize_t n = read(fd, head, sizeof head - 1);
		head[n > 0 ? n : 0] = '\0';
		if (strstr(head, "\"profuse-agent\"") && !flock(fd, LOCK_EX | LOCK_NB))
			unlink(path);
		close(fd);
	}
	closedir(dir);
}

int
pf_announce(struct pf_announcement *a, const char *folder, const struct sockaddr *address)
{
	char text[512], where[80], program[64];

	pf_announce_clean(folder);
	safe_program(program, sizeof program);
	address_text(address, where, sizeof where);
	if ((size_t)snprintf(a->path, sizeof a->path, "%s/%s-%d.json", folder, program,
		(int)getpid()) >= sizeof a->path)
		return -ENAMETOOLONG;
	snprintf(text, sizeof text,
	    "[{\"labels\": {\"agent\": \"profuse-agent\", \"job\": \"%s\", \"pid\": \"%d\"},\n"
	    "  \"targets\": [\"%s\"]}]\n",
	    program, (int)getpid(), where);
	return publish(a->path, text, strlen(text), &a->lock);
}

void
pf_announce_end(struct pf_announcement *a)
{
	if (a->lock.fd >= 0 && *a->path)
		unlink(a->path);
	pf_announce_forked(a);
}

void
pf_announce_forked(struct pf_announcement *a)
{
	pf_own_fd_close(&a->lock);
	*a->path = '\0';
}
