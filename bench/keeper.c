/*
 * keeper.c: see keeper.h. All signals are blocked and taken one at a time with
 * sigtimedwait, so there are no handlers and no races with them.
 */
#include "bench/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/tree.h"

#include "core/clock.h"

struct keeper {
	const struct pf_keeper_orders *orders;
	pid_t subject;
	double started;
	bool subject_ended, stopping, killing;
	double deadline; /* when to take the next, harder step; 0: none */
	uint32_t leftovers;
	struct pf_tree tree;
	struct pf_counters counters;
};

static double
now(void)
{
	return pf_clock_seconds(CLOCK_MONOTONIC);
}

static void
tell(const struct keeper *k, const struct pf_keeper_note *note)
{
	/* Less than PIPE_BUF: whole or not at all; a reader that is gone is no reason to die. */
	while (write(k->orders->notes, note, sizeof *note) < 0 && errno == EINTR)
		;
}

enum {
	MOST_WORDS = 256,
	ERRORS_MOST = 8 << 20,
	ERRORS_KEPT = 64 << 10,
};

/* Splits a command of plain words in place; 0 when it needs a shell. */
static size_t
split(char *command, char **words)
{
	size_t n = 0;
	char *rest;

	if (command[strcspn(command, "\"'\\$`|&;<>()*?[]#~=%!{}\n")])
		return 0;
	for (char *word = strtok_r(command, " \t", &rest); word;
	    word = strtok_r(NULL, " \t", &rest)) {
		if (n == MOST_WORDS)
			return 0;
		words[n++] = word;
	}
	words[n] = NULL;
	return n;
}

/* In the child: becomes the subject, or returns with errno. */
static void
become_subject(const struct pf_keeper_orders *o)
{
	static char *words[MOST_WORDS + 1];
	char sh[] = "sh", flag[] = "-c";
	char *const shell[] = {sh, flag, (char *)o->command, NULL};
	char *copy = strdup(o->command);
	int null = open("/dev/null", O_RDONLY);
	sigset_t none;

	sigemptyset(&none);
	setpgid(0, 0);
	if (!copy || null < 0 || dup2(null, 0) < 0 || dup2(o->output, 1) < 0 ||
	    dup2(o->errors, 2) < 0)
		return;
	if (null > 2)
		close(null);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (split(copy, words))
		execvpe(words[0], words, o->environment);
	execve("/bin/sh", shell, o->environment);
}

/* Resident bytes of this process. */
static uint64_t
resident(void)
{
	unsigned long long size = 0, pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f) {
		if (fscanf(f, "%llu %llu", &size, &pages) != 2)
			pages = 0;
		fclose(f);
	}
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int
start_subject(struct keeper *k)
{
	int failure[2], error = 0;

	if (pipe2(failure, O_CLOEXEC))
		return errno;
	k->started = now();
	k->subject = fork();
	if (k->subject < 0)
		return errno;
	if (k->subject == 0) {
		become_subject(k->orders);
		error = errno;
		if (write(failure[1], &error, sizeof error) < 0)
			_exit(126);
		_exit(127);
	}
	close(failure[1]);
	/* End of file: the exec succeeded and closed the pipe. */
	if (read(failure[0], &error, sizeof error) != (ssize_t)sizeof error)
		error = 0;
	close(failure[0]);
	return error;
}

/* Signals the subject's process group and whatever left it. */
static void
signal_all(struct keeper *k, int number)
{
	if (!k->subject_ended)
		kill(-k->subject, number);
	if (pf_tree_list(&k->tree, getpid(), NULL) == 0)
		pf_tree_signal(&k->tree, number);
}

static void
stop(struct keeper *k)
{
	if (k->stopping)
		return;
	k->stopping = true;
	k->deadline = now() + k->orders->grace;
	signal_all(k, SIGTERM);
}

static void
take_next_step(struct keeper *k)
{
	if (!k->stopping) {
		if (pf_tree_list(&k->tree, getpid(), NULL) == 0)
			k->leftovers = (uint32_t)k->tree.count;
		stop(k);
		return;
	}
	/* Again and again: a process may have forked between the listing and the signal. */
	k->deadline = now() + 0.05;
	signal_all(k, SIGKILL);
}

static void
note_end(struct keeper *k, int status)
{
	struct pf_keeper_note note = {
	    .kind = PF_NOTE_ENDED, .pid = k->subject, .status = status, .wall = now() - k->started};

	k->subject_ended = true;
	tell(k, &note);
	if (!k->stopping && !(k->orders->service && status == 0))
		k->deadline = now() + k->orders->grace;
}

/* Takes every child that has ended; false when there is none left at all. */
static bool
reap(struct keeper *k)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == k->subject)
			note_end(k, status);
	}
	return pid == 0 || errno != ECHILD;
}

/* What a subject says for hours must not fill the memory: only the end is ever shown. */
static void
trim_errors(const struct pf_keeper_orders *o)
{
	struct stat st;

	if (o->trim_errors && fstat(o->errors, &st) == 0 && st.st_blocks * 512 > ERRORS_MOST)
		fallocate(o->errors, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
		    st.st_size - ERRORS_KEPT);
}

static void
tell_counts(const struct keeper *k)
{
	struct pf_keeper_note note = {.kind = PF_NOTE_COUNTS, .pid = k->subject};

	pf_counters_read(&k->counters, note.counters);
	tell(k, &note);
}

static void
wait_for_signal(struct keeper *k, const sigset_t *signals)
{
	double left = k->deadline > 0 ? k->deadline - now() : 1;
	struct timespec t;
	int number;

	left = left < 0 ? 0 : left > 1 ? 1 : left;
	t.tv_sec = (time_t)left;
	t.tv_nsec = (long)((left - (double)t.tv_sec) * 1e9);
	number = sigtimedwait(signals, NULL, &t);
	if (number == SIGTERM)
		stop(k);
	else if (number == SIGUSR1)
		tell_counts(k);
	else if (number < 0 && errno == EAGAIN && k->deadline > 0 && now() >= k->deadline)
		take_next_step(k);
	trim_errors(k->orders);
}

static void
note_gone(const struct keeper *k)
{
	struct pf_keeper_note note = {
	    .kind = PF_NOTE_GONE, .pid = k->subject, .leftovers = k->leftovers};
	struct rusage usage;

	getrusage(RUSAGE_CHILDREN, &usage);
	note.cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	note.peak_rss = (uint64_t)usage.ru_maxrss * 1024;
	note.faults = (double)usage.ru_minflt;
	note.major_faults = (double)usage.ru_majflt;
	note.switches = (double)usage.ru_nvcsw;
	note.preemptions = (double)usage.ru_nivcsw;
	pf_counters_read(&k->counters, note.counters);
	tell(k, &note);
}

static void
prepare(const struct pf_keeper_orders *o, sigset_t *signals)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	sigemptyset(signals);
	sigaddset(signals, SIGCHLD);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGUSR1);
	signal(SIGCHLD, SIG_DFL); /* if it were ignored, nobody could be waited for */
	setsid();
	prctl(PR_SET_NAME, "profuse-keeper");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (o->cpus)
		sched_setaffinity(0, sizeof *o->cpus, o->cpus);
}

_Noreturn void
pf_keeper_run(const struct pf_keeper_orders *o)
{
	struct keeper k = {.orders = o};
	struct pf_keeper_note note = {.kind = PF_NOTE_FAILED};
	sigset_t signals;

	prepare(o, &signals);
	if (getppid() != o->parent)
		_exit(0); /* bench died before it could be watched */
	note.peak_rss = resident();
	pf_counters_open(&k.counters);
	pf_counters_read(&k.counters, note.counters);
	note.status = start_subject(&k);
	note.pid = k.subject;
	if (!note.status)
		note.kind = PF_NOTE_STARTED;
	tell(&k, &note);
	while (reap(&k))
		wait_for_signal(&k, &signals);
	note_gone(&k);
	_exit(0);
}
