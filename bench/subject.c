/* subject.c: see subject.h. */
#include "bench/subject.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/subject_environment.h"
#include "core/clock.h"
#include "core/error.h"

static double
now(void)
{
	return pf_clock_seconds(CLOCK_MONOTONIC);
}

/* Opens both outputs: standard error always into a file that we can read back. */
static int
open_outputs(const struct pf_subject_spec *spec, int *output, int *errors, struct pf_error *err)
{
	char path[4096];

	*output = *errors = -1;
	if (!spec->output) {
		*output = open("/dev/null", O_WRONLY | O_CLOEXEC);
		*errors = memfd_create("profuse-bench-stderr", MFD_CLOEXEC);
	} else {
		snprintf(path, sizeof path, "%s.out", spec->output);
		*output = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		if (*output < 0)
			return pf_error_errno(err, "cannot write", path);
		snprintf(path, sizeof path, "%s.err", spec->output);
		*errors = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	}
	if (*errors < 0 || *output < 0)
		return pf_error_errno(
		    err, "cannot open", spec->output ? path : "a file for the subject's output");
	fcntl(*errors, F_SETFL, O_APPEND | O_RDWR);
	return 0;
}

static void
close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

static int
fork_keeper(struct pf_subject *s, struct pf_keeper_orders *orders, struct pf_error *err)
{
	int pipes[2];

	if (pipe2(pipes, O_CLOEXEC))
		return pf_error_errno(err, "cannot make", "a pipe");
	orders->notes = pipes[1];
	orders->parent = getpid();
	s->keeper = fork();
	if (s->keeper == 0)
		pf_keeper_run(orders);
	close(pipes[1]);
	if (s->keeper < 0) {
		s->keeper = 0;
		close(pipes[0]);
		return pf_error_errno(err, "cannot fork to run", s->command);
	}
	s->notes = pipes[0];
	return pf_subject_next(s, err);
}

int
pf_subject_start(struct pf_subject *s, const struct pf_subject_spec *spec, struct pf_error *err)
{
	struct pf_keeper_orders orders = {.command = spec->command,
	    .grace = spec->grace,
	    .cpus = spec->cpus,
	    .service = spec->service,
	    .trim_errors = !spec->output};
	char **environment = NULL;
	int rc;

	*s = (struct pf_subject){
	    .name = spec->name, .command = spec->command, .notes = -1, .errors = -1};
	rc = pf_environment_with(&environment, spec->environment, spec->environment_count, err);
	if (rc)
		return rc;
	orders.environment = environment;
	rc = open_outputs(spec, &orders.output, &s->errors, err);
	orders.errors = s->errors;
	if (!rc)
		rc = fork_keeper(s, &orders, err);
	close_if_open(orders.output);
	free(environment);
	if (rc)
		pf_subject_stop(s);
	return rc;
}

int
pf_subject_next(struct pf_subject *s, struct pf_error *err)
{
	struct pf_keeper_note note;
	ssize_t n;

	do {
		n = read(s->notes, &note, sizeof note);
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof note)
		return pf_error_set(err, PF_EIO,
		    "%s: the process that watches over %s vanished; was it killed?", s->name,
		    s->command);
	switch (note.kind) {
	case PF_NOTE_STARTED:
		s->pid = note.pid;
		s->rss_floor = note.peak_rss;
		for (int i = 0; i < PF_COUNTERS; i++) {
			s->counts[i] = note.counters[i];
			s->counted = s->counted || !isnan(note.counters[i]);
		}
		return 0;
	case PF_NOTE_FAILED:
		return pf_error_set(err, PF_EIO, "%s: cannot start %s: %s", s->name, s->command,
		    strerror(note.status));
	case PF_NOTE_ENDED:
		s->end = note;
		s->ended = true;
		return 0;
	case PF_NOTE_GONE:
		s->total = note;
		s->gone = true;
		return 0;
	case PF_NOTE_COUNTS:
		memcpy(s->counts, note.counters, sizeof s->counts);
		s->asked = false;
		return 0;
	}
	return pf_error_set(
	    err, PF_EIO, "%s: an unknown note from the process that watches over it", s->name);
}

int
pf_subject_wait(struct pf_subject *s, bool wholly, double seconds, int stop_fd, bool *timed_out,
    struct pf_error *err)
{
	double end = now() + seconds;

	*timed_out = false;
	while (!(wholly ? s->gone : s->ended)) {
		struct pollfd fds[] = {
		    {.fd = s->notes, .events = POLLIN}, {.fd = stop_fd, .events = POLLIN}};
		double left = seconds > 0 ? end - now() : 3600;
		int n = poll(fds, 2, left > 0 ? (int)(left * 1000) + 1 : 0), rc;

		if (n > 0 && fds[1].revents)
			return pf_error_set(err, PF_EINCONCLUSIVE, "interrupted");
		if (n == 0 && seconds > 0 && now() >= end) {
			*timed_out = true;
			return pf_error_set(err, PF_EINCONCLUSIVE, "time is over");
		}
		if (n <= 0 || !fds[0].revents)
			continue;
		rc = pf_subject_next(s, err);
		if (rc)
			return rc;
	}
	return 0;
}

int
pf_subject_count(struct pf_subject *s, struct pf_error *err)
{
	int rc = 0;

	s->asked = s->counted && !s->gone && kill(s->keeper, SIGUSR1) == 0;
	while (!rc && s->asked && !s->gone)
		rc = pf_subject_next(s, err);
	return rc;
}

void
pf_subject_stop(struct pf_subject *s)
{
	int status;

	if (s->keeper) {
		kill(s->keeper, SIGTERM);
		while (s->notes >= 0 && !s->gone && pf_subject_next(s, NULL) == 0)
			;
		while (waitpid(s->keeper, &status, 0) < 0 && errno == EINTR)
			;
		s->keeper = 0;
	}
	close_if_open(s->notes);
	close_if_open(s->errors);
	s->notes = s->errors = -1;
}

bool
pf_subject_succeeded(const struct pf_subject *s)
{
	return s->ended && WIFEXITED(s->end.status) && WEXITSTATUS(s->end.status) == 0;
}

/* The last lines of standard error on one line, joined by " | ", control characters blanked. */
static void
last_words(int fd, char *text, size_t size)
{
	char raw[2048];
	off_t end = lseek(fd, 0, SEEK_END), start;
	ssize_t n;
	size_t out = 0;

	text[0] = 0;
	if (end <= 0)
		return;
	start = end > 600 ? end - 600 : 0;
	n = pread(fd, raw, sizeof raw - 1, start);
	for (ssize_t i = 0; i < n && out + 4 < size; i++) {
		if (raw[i] == '\n') {
			if (out && i + 1 < n)
				out += (size_t)snprintf(text + out, size - out, " | ");
		} else {
			text[out++] = (unsigned char)raw[i] < ' ' ? ' ' : raw[i];
		}
	}
	text[out] = 0;
}

int
pf_subject_failure(const struct pf_subject *s, const char *where, struct pf_error *err)
{
	char words[700], how[64];

	last_words(s->errors, words, sizeof words);
	if (WIFSIGNALED(s->end.status))
		snprintf(how, sizeof how, "was killed by signal %d (%s)", WTERMSIG(s->end.status),
		    sigabbrev_np(WTERMSIG(s->end.status)) ? sigabbrev_np(WTERMSIG(s->end.status))
							  : "?");
	else
		snprintf(how, sizeof how, "ended with status %d", WEXITSTATUS(s->end.status));
	return pf_error_set(err, PF_EIO, "%s: \"%.120s\" %s %s%s%s", s->name, s->command, how,
	    where,
	    words[0] ? "; its last words: "
		     : " and wrote nothing to standard error; run it by itself to see its output",
	    words);
}
