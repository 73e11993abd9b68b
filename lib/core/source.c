/*
 * source.c: see source.h.
 *
 * Three kinds of input (plain bytes in memory, a plain file, gzip from either)
 * meet in one function, fetch(), which puts the next bytes behind those held.
 */
#include "core/source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <isa-l/crc64.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/gzip.h"

enum { PIECE = 128 << 10, MOST_AT_ONCE = 4 << 20 };
enum { AT_ONCE = 256 << 10, MOST_RATIO = 1032 /* of deflate */ };

void
pf_source_init(struct pf_source *s)
{
	*s =
	    (struct pf_source){.fd = -1, .most_whole = PF_SOURCE_WHOLE, .window = PF_SOURCE_WINDOW};
	pf_buffer_init(&s->held, PF_BUFFER_NO_MAXIMUM);
	pf_buffer_init(&s->piece, PF_BUFFER_NO_MAXIMUM);
}

static void
close_file(struct pf_source *s)
{
	if (s->fd > STDIN_FILENO)
		close(s->fd);
	s->fd = -1;
}

void
pf_source_release(struct pf_source *s)
{
	close_file(s);
	pf_buffer_release(&s->held);
	pf_buffer_release(&s->piece);
	pf_inflater_free(s->inflater);
	s->inflater = NULL;
	s->at = s->end = s->first = NULL;
}

int
pf_source_fail(struct pf_source *s, int code, const struct pf_error *failure)
{
	if (s->code)
		return s->code;
	s->code = code;
	if (failure)
		s->failure = *failure;
	s->end = s->at;
	s->ended = true;
	return code;
}

/* Keeps a failure and passes it on. */
static int
failed(struct pf_source *s, int code, const struct pf_error *why, struct pf_error *err)
{
	if (err)
		*err = *why;
	return pf_source_fail(s, code, why);
}

static int
too_large(const struct pf_source *s, struct pf_error *err)
{
	return pf_error_set(err, PF_EINPUT,
	    "%s: larger than the %" PRIu64 " bytes allowed; --max-size lifts the cap", s->name,
	    s->max_size);
}

/* The file's next bytes; 0 at its end. */
static int
read_file(struct pf_source *s, void *to, size_t room, size_t *got, struct pf_error *err)
{
	ssize_t n;

	do
		n = read(s->fd, to, room);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return pf_error_errno(err, "cannot read", s->name);
	*got = (size_t)n;
	s->input_count += (uint64_t)n;
	return s->input_count > s->max_size ? too_large(s, err) : 0;
}

/* The next piece of packed input for the inflater. */
static int
feed(struct pf_source *s, struct pf_error *err)
{
	size_t got = 0, left = s->input_size - s->input_taken;
	int rc;

	if (s->from_memory) {
		got = left < MOST_AT_ONCE ? left : MOST_AT_ONCE;
		pf_inflater_feed(s->inflater, s->input + s->input_taken, got, got == left);
		s->input_taken += got;
		s->input_ended = got == left;
		return 0;
	}
	if (!pf_buffer_reserve(&s->piece, PIECE))
		return pf_error_nomem(err);
	rc = read_file(s, s->piece.bytes, PIECE, &got, err);
	s->input_ended = got == 0;
	pf_inflater_feed(s->inflater, s->piece.bytes, got, s->input_ended);
	return rc;
}

static int
inflate_into(struct pf_source *s, uint8_t *to, size_t room, size_t *made, struct pf_error *err)
{
	int rc = pf_inflater_step(s->inflater, to, room, made, err);

	while (!rc && *made == 0 && !pf_inflater_ended(s->inflater)) {
		rc = feed(s, err);
		if (!rc)
			rc = pf_inflater_step(s->inflater, to, room, made, err);
	}
	return rc;
}

/* Puts up to `room` more bytes behind those held; sets `ended` where there are none. */
static int
fetch(struct pf_source *s, size_t room, struct pf_error *err)
{
	uint64_t so_far = s->base + s->held.size;
	uint8_t *to = pf_buffer_reserve(&s->held, room);
	size_t made = 0;
	int rc;

	if (!to)
		return pf_error_nomem(err);
	rc = s->packed ? inflate_into(s, to, room, &made, err) : read_file(s, to, room, &made, err);
	if (rc)
		return rc;
	s->held.size += made;
	s->ended = made == 0;
	if (so_far + made > s->digested) { /* a rewound source sees bytes again */
		size_t fresh = (size_t)(so_far + made - s->digested);
		s->digest = crc64_ecma_refl(s->digest, to + made - fresh, fresh);
		s->digested += fresh;
	}
	return 0;
}

static void
show(struct pf_source *s, size_t from)
{
	static const uint8_t nothing[1];

	s->first = s->held.bytes ? s->held.bytes : nothing;
	s->at = s->first + from;
	s->end = s->first + s->held.size;
}

int
pf_source_need(struct pf_source *s, size_t size, struct pf_error *err)
{
	struct pf_error why;
	size_t left = (size_t)(s->end - s->at);
	int rc = 0;

	if (s->code) {
		if (err)
			*err = s->failure;
		return s->code;
	}
	if (left >= size || s->ended)
		return 0;
	s->base = pf_source_offset(s);
	if (left)
		memmove(s->held.bytes, s->at, left);
	s->held.size = left;
	if (size < s->window)
		size = s->window;
	while (!rc && s->held.size < size && !s->ended)
		rc = fetch(s, size - s->held.size, &why);
	show(s, 0);
	return rc ? failed(s, rc, &why, err) : 0;
}

/* Begins to read from the input's first byte. */
static int
restart(struct pf_source *s, struct pf_error *err)
{
	s->base = 0;
	s->ended = s->input_ended = false;
	s->input_taken = 0;
	s->input_count = 0;
	pf_buffer_clear(&s->held);
	show(s, 0);
	if (!s->from_memory && lseek(s->fd, 0, SEEK_SET) < 0)
		return pf_error_errno(err, "cannot read again", s->name);
	if (s->packed)
		pf_inflater_begin(s->inflater, s->name, s->max_size, s->max_ratio);
	return 0;
}

int
pf_source_rewind(struct pf_source *s, struct pf_error *err)
{
	struct pf_error why;
	int rc = s->code;

	if (rc) {
		if (err)
			*err = s->failure;
		return rc;
	}
	if (s->whole) {
		s->at = s->first;
		return 0;
	}
	rc = restart(s, &why);
	if (rc)
		return failed(s, rc, &why, err);
	return pf_source_need(s, 1, err);
}

/* The size that gzip data states at its end, modulo 2^32 (RFC 1952): a hint, as it may be a lie. */
static uint64_t
stated_size(const struct pf_source *s, uint64_t input_size)
{
	uint8_t last[4];

	if (input_size < sizeof last)
		return 0;
	if (s->from_memory)
		memcpy(last, s->input + input_size - sizeof last, sizeof last);
	else if (pread(s->fd, last, sizeof last, (off_t)(input_size - sizeof last)) != sizeof last)
		return 0;
	return (uint64_t)last[0] | (uint64_t)last[1] << 8 | (uint64_t)last[2] << 16 |
	       (uint64_t)last[3] << 24;
}

/* How much the input will come to, at a guess: room made at once is cheaper than room that grows. */
static uint64_t
guess_size(const struct pf_source *s, uint64_t input_size)
{
	uint64_t most = input_size * MOST_RATIO, guess = input_size;

	if (s->packed)
		guess = stated_size(s, input_size);
	return guess < most ? guess : most;
}

/* Room for all of the input at a guess, and a little more to see the end. */
static int
make_room(struct pf_source *s, uint64_t guess, struct pf_error *err)
{
	size_t room = guess < s->most_whole ? (size_t)guess + 1 : s->most_whole;

	if (guess < s->window / 2)
		room = s->window / 2;
	return pf_buffer_reserve(&s->held, room) ? 0 : pf_error_nomem(err);
}

/* How much to bring in next: what is digested is best still in the processor's cache. */
static size_t
next_room(const struct pf_source *s)
{
	size_t left = s->held.capacity - s->held.size;

	if (left)
		return left < AT_ONCE ? left : AT_ONCE;
	return s->window / 2 + s->held.size / 2;
}

/* Brings in all of the input, unless that is more than should be held. */
static int
fill(struct pf_source *s, uint64_t input_size, struct pf_error *err)
{
	uint64_t guess = guess_size(s, input_size);
	int rc = restart(s, err);

	if (!rc && guess > s->most_whole)
		return pf_source_need(s, 1, err);
	if (!rc)
		rc = make_room(s, guess, err);
	while (!rc && !s->ended && s->held.size <= s->most_whole)
		rc = fetch(s, next_room(s), err);
	show(s, 0);
	if (rc)
		return rc;
	s->whole = s->ended;
	if (s->whole) {
		close_file(s);
		return 0;
	}
	pf_buffer_release(&s->held); /* a small window from now on */
	rc = restart(s, err);
	return rc ? rc : pf_source_need(s, 1, err);
}

/* Decides whether the input is packed; gets the inflater ready if so. */
static int
recognise(struct pf_source *s, const uint8_t *bytes, size_t size, struct pf_error *err)
{
	s->packed = pf_gzip_is(bytes, size);
	return s->packed && !s->inflater ? pf_inflater_new(&s->inflater, err) : 0;
}

static void
begin(struct pf_source *s, const char *name, uint64_t max_size, uint32_t max_ratio)
{
	close_file(s);
	s->name = name;
	s->max_size = max_size;
	s->max_ratio = max_ratio;
	s->code = 0;
	s->ended = s->whole = s->packed = s->from_memory = false;
	s->base = s->digested = s->input_count = 0;
	s->input = NULL;
	s->input_size = s->input_taken = 0;
	s->digest = 0;
	pf_buffer_clear(&s->held);
	pf_buffer_clear(&s->piece);
	show(s, 0);
}

/* An input that lies in memory: shown where it is unless it is packed. */
static int
take_memory(struct pf_source *s, const uint8_t *bytes, size_t size, struct pf_error *err)
{
	int rc = size > s->max_size ? too_large(s, err) : recognise(s, bytes, size, err);

	if (rc)
		return rc;
	s->from_memory = true;
	s->input = bytes;
	s->input_size = size;
	if (s->packed)
		return fill(s, size, err);
	s->first = s->at = bytes;
	s->end = bytes + size;
	s->ended = s->whole = true;
	s->digest = crc64_ecma_refl(0, bytes, size);
	return 0;
}

int
pf_source_borrow(struct pf_source *s, const char *name, const void *bytes, size_t size,
    uint64_t max_size, uint32_t max_ratio, struct pf_error *err)
{
	struct pf_error why;
	int rc;

	begin(s, name, max_size, max_ratio);
	rc = take_memory(s, size ? bytes : (const void *)"", size, &why);
	return rc ? failed(s, rc, &why, err) : 0;
}

/* An unnamed file for what can be read only once. */
static int
open_temporary(int *fd, struct pf_error *err)
{
	const char *folder = getenv("TMPDIR");

	if (!folder || !*folder)
		folder = "/tmp";
	*fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return *fd < 0 ? pf_error_errno(err, "cannot keep a long input in", folder) : 0;
}

static int
write_file(int fd, const uint8_t *bytes, size_t size, struct pf_error *err)
{
	while (size) {
		ssize_t n = write(fd, bytes, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return pf_error_errno(err, "cannot write", "a temporary file");
		bytes += n;
		size -= (size_t)n;
	}
	return 0;
}

/* Copies the rest of a pipe behind what was read of it, into a file that takes the pipe's place. */
static int
spool(struct pf_source *s, struct pf_error *err)
{
	int fd, rc = open_temporary(&fd, err);
	size_t got = s->piece.size;

	if (rc)
		return rc;
	while (!rc && got) {
		rc = write_file(fd, s->piece.bytes, got, err);
		if (!rc)
			rc = read_file(s, s->piece.bytes, s->piece.capacity, &got, err);
	}
	close_file(s);
	s->fd = fd;
	pf_buffer_release(&s->piece);
	return rc ? rc : fill(s, s->input_count, err);
}

/* A pipe: what it gives is kept in `piece` as if it had lain in memory, or spooled. */
static int
take_pipe(struct pf_source *s, struct pf_error *err)
{
	size_t got = 1;
	int rc = 0;

	while (!rc && got && s->piece.size <= s->most_whole) {
		if (!pf_buffer_reserve(&s->piece, PIECE))
			return pf_error_nomem(err);
		rc = read_file(s, s->piece.bytes + s->piece.size, PIECE, &got, err);
		s->piece.size += rc ? 0 : got;
	}
	if (rc)
		return rc;
	if (!got) {
		close_file(s);
		return take_memory(
		    s, s->piece.size ? s->piece.bytes : (const uint8_t *)"", s->piece.size, err);
	}
	rc = recognise(s, s->piece.bytes, s->piece.size, err);
	return rc ? rc : spool(s, err);
}

static int
take_file(struct pf_source *s, const char *path, struct pf_error *err)
{
	struct stat status;
	uint8_t magic[2];
	ssize_t n;
	int rc;

	s->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0)
		return pf_error_errno(err, "cannot open", path);
	if (fstat(s->fd, &status))
		return pf_error_errno(err, "cannot read", s->name);
	if (!S_ISREG(status.st_mode))
		return take_pipe(s, err);
	if (lseek(s->fd, 0, SEEK_CUR) != 0) /* standard input, begun by somebody else */
		return take_pipe(s, err);
	if ((uint64_t)status.st_size > s->max_size)
		return too_large(s, err);
	n = pread(s->fd, magic, sizeof magic, 0);
	if (n < 0)
		return pf_error_errno(err, "cannot read", s->name);
	rc = recognise(s, magic, (size_t)n, err);
	return rc ? rc : fill(s, (uint64_t)status.st_size, err);
}

int
pf_source_open(struct pf_source *s, const char *path, uint64_t max_size, uint32_t max_ratio,
    struct pf_error *err)
{
	struct pf_error why;
	int rc;

	begin(s, strcmp(path, "-") == 0 ? "standard input" : path, max_size, max_ratio);
	rc = take_file(s, path, &why);
	return rc ? failed(s, rc, &why, err) : 0;
}

uint64_t
pf_source_digest(const struct pf_source *s)
{
	return s->digest ? s->digest : 1;
}
