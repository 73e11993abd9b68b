/*
 * host_process.c: hosts that fork, exec, daemonize and close what isn't theirs.
 *
 *	fork SECONDS      children that burn and exit, children that exec
 *	exec SECONDS      burns, then becomes an unpreloaded program that burns on
 *	daemon FILE       forks twice, closes every descriptor, occupies them all
 *	                  with FILE, burns; FILE must stay empty
 *	burn SECONDS      what exec runs
 *	use SECONDS       uses that much CPU time, however long it takes
 *
 * Each ends with status 0 only if it saw nothing unexpected.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/agent/burn.h"

static int
wait_for(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		continue;
	return status;
}

static int
forker(double seconds)
{
	int64_t end = clock_ns(CLOCK_MONOTONIC) + (int64_t)(seconds * 1e9);
	int children = 0;

	while (go_on(end)) {
		pid_t child = fork();
		if (child < 0)
			return 1;
		if (child == 0) {
			burn(0.015);
			if (children % 3 == 0)
				execl("/bin/true", "true", (char *)NULL);
			if (children % 3 == 1)
				exit(0);
			_exit(0);
		}
		burn(0.02);
		int status = wait_for(child);
		if (status) {
			fprintf(
			    stderr, "child %d ended with status %#x\n", children, (unsigned)status);
			return 1;
		}
		children++;
	}
	printf("forked %d\n", children);
	return children < 3;
}

static int
become(const char *self, const char *seconds)
{
	burn_on(strtod(seconds, NULL));
	unsetenv("LD_PRELOAD");
	execl(self, self, "burn", seconds, (char *)NULL);
	return 1;
}

/* Two forks, a session of its own, and every number from 0 up closed and taken. */
static int
daemonize(const char *path)
{
	struct stat st;
	int fds = 0;

	if (fork() > 0)
		_exit(0);
	setsid();
	if (fork() > 0)
		_exit(0);
	usleep(300000); /* let the agent listen, so that there is something to close */
	for (int fd = 0; fd < 4096; fd++)
		close(fd);
	while (fds < 900)
		fds = open(path, O_RDWR | O_CREAT | O_APPEND, 0600);
	burn_on(60);
	for (int fd = 0; fd <= fds; fd++)
		if (fstat(fd, &st) || st.st_size != 0)
			return write(fd, "a descriptor was closed or written to\n", 38) < 0 ? 2 : 1;
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	if (!strcmp(argv[1], "fork"))
		return forker(strtod(argv[2], NULL));
	if (!strcmp(argv[1], "exec"))
		return become(argv[0], argv[2]);
	if (!strcmp(argv[1], "daemon"))
		return daemonize(argv[2]);
	if (!strcmp(argv[1], "use"))
		burn(strtod(argv[2], NULL));
	else
		burn_on(strtod(argv[2], NULL));
	return 0;
}
