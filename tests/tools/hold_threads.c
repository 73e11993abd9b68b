/*
 * hold_threads.c: runs a program and holds single threads of it at random, as a busy machine does, only longer.
 *
 *	hold_threads SECONDS SEED LONGEST COMMAND…
 *
 * Threads of the program and of its children are stopped where they are, a
 * thousand times a second altogether, most for a moment, one in twenty for up to
 * LONGEST seconds; the others go on meanwhile. Status: the command's; 124 if it
 * has not ended after SECONDS, in which case it is killed and what each of its
 * threads waits in is said; 77 if this machine lets nobody trace.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	MOST = 4096,
	OPTIONS = PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_EXITKILL
};

struct thread {
	pid_t id;
	bool asked, held;
	int64_t until;
};

static struct thread threads[MOST];
static size_t count;
static uint64_t state;
static int64_t longest;

static int64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static uint64_t
below(uint64_t limit)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (state >> 33) % limit;
}

static struct thread *
find(pid_t id)
{
	for (size_t i = 0; i < count; i++)
		if (threads[i].id == id)
			return &threads[i];
	if (count == MOST)
		exit(2);
	threads[count] = (struct thread){.id = id};
	return &threads[count++];
}

static void
forget(pid_t id)
{
	*find(id) = threads[count - 1];
	count--;
}

static int64_t
how_long(void)
{
	if (below(20) == 0)
		return (int64_t)below((uint64_t)longest);
	return (int64_t)below(below(4) ? 1000000 : 30000000);
}

/* A stop of any kind: our own is held, others are passed on. */
static void
stopped(pid_t id, int status)
{
	struct thread *thread = find(id);
	int event = status >> 16, signal = WSTOPSIG(status);

	if (event == PTRACE_EVENT_STOP && thread->asked) {
		thread->asked = false;
		thread->held = true;
		thread->until = now() + how_long();
	} else {
		ptrace(PTRACE_CONT, id, NULL, event ? NULL : (void *)(intptr_t)signal);
	}
}

static void
release_due(int64_t time)
{
	for (size_t i = 0; i < count; i++)
		if (threads[i].held && threads[i].until <= time) {
			threads[i].held = false;
			ptrace(PTRACE_CONT, threads[i].id, NULL, NULL);
		}
}

static void
hold_one(void)
{
	struct thread *thread = count ? &threads[below(count)] : NULL;

	if (!thread || thread->asked || thread->held)
		return;
	thread->asked = !ptrace(PTRACE_INTERRUPT, thread->id, NULL, NULL);
}

static void
tell(pid_t id)
{
	static const char *const files[] = {"comm", "wchan", "syscall"};
	char path[64], text[256];

	fprintf(stderr, "thread %d:", id);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "/proc/%d/%s", id, files[i]);
		FILE *file = fopen(path, "r");
		if (file && fgets(text, sizeof text, file))
			fprintf(stderr, " %.*s", (int)strcspn(text, "\n"), text);
		if (file)
			fclose(file);
	}
	fputc('\n', stderr);
}

static pid_t
start(char **command)
{
	int gate[2];
	char byte;
	pid_t child;

	if (pipe(gate) || (child = fork()) < 0)
		exit(2);
	if (child == 0) {
		close(gate[1]);
		while (read(gate[0], &byte, 1) < 0)
			continue;
		close(gate[0]);
		execvp(*command, command);
		_exit(127);
	}
	if (ptrace(PTRACE_SEIZE, child, NULL, (void *)OPTIONS)) {
		kill(child, SIGKILL);
		perror("ptrace");
		exit(77);
	}
	find(child);
	close(gate[0]);
	close(gate[1]);
	return child;
}

/* Everything that has happened; true once the command itself has ended, with what its status is. */
static bool
look(pid_t command, int *result)
{
	int status;
	pid_t id;

	while ((id = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
		if (WIFSTOPPED(status)) {
			stopped(id, status);
			continue;
		}
		forget(id);
		if (id == command) {
			*result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			return true;
		}
	}
	return id < 0 && errno == ECHILD;
}

int
main(int argc, char **argv)
{
	static const struct timespec pause = {.tv_nsec = 300000};
	int64_t end, next = 0, time;
	pid_t command;
	int result = 2;

	if (argc < 5)
		return 2;
	end = now() + (int64_t)(strtod(argv[1], NULL) * 1e9);
	state = strtoull(argv[2], NULL, 10);
	longest = (int64_t)(strtod(argv[3], NULL) * 1e9) + 1;
	command = start(argv + 4);
	while (!look(command, &result)) {
		time = now();
		release_due(time);
		if (time >= end) {
			for (size_t i = 0; i < count; i++)
				tell(threads[i].id);
			return 124; /* which kills them all */
		}
		if (time >= next) {
			hold_one();
			next = time + (int64_t)below(2000000);
		}
		nanosleep(&pause, NULL);
	}
	return result;
}
