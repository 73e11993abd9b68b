/* subprocess.c: see subprocess.h. */
#include "core/subprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"

extern char **environ;

static int
start(const char *const *argv, int output, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc)
		return rc;
	rc = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	if (!rc)
		rc = posix_spawnp(
		    pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static void
drain(int fd, struct pf_buffer *output)
{
	uint8_t chunk[1 << 14];

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof chunk);
		size_t room = output->maximum - output->size;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		pf_buffer_add(output, chunk, (size_t)n < room ? (size_t)n : room);
	}
}

int
pf_subprocess_run(
    const char *const *argv, struct pf_buffer *output, int *status, struct pf_error *err)
{
	int ends[2], rc, state;
	pid_t pid;

	*status = 127;
	if (pipe2(ends, O_CLOEXEC))
		return pf_error_errno(err, "cannot make a pipe for", argv[0]);
	rc = start(argv, ends[1], &pid);
	close(ends[1]);
	if (rc) {
		close(ends[0]);
		errno = rc;
		return pf_error_errno(err, "cannot run", argv[0]);
	}
	drain(ends[0], output);
	close(ends[0]);
	while (waitpid(pid, &state, 0) < 0) {
		if (errno != EINTR)
			return pf_error_errno(err, "cannot wait for", argv[0]);
	}
	*status = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
	return pf_buffer_check(output, err);
}
