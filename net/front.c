#include "net/front.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "net/http_screen.h"
#include "net/httpd.h"
#include "net/loop.h"
#include "net/upgrade.h"
#include "net/ws.h"

#define ACCEPTS_PER_TURN 64
#define ACCEPT_PAUSE_MS  100 /* when descriptors have run out */
#define PEEK_FIRST_MS    5   /* to the second look at half a head; then twice as long each time */
#define PEEK_LAST_MS     80
#define ADDRESS_LEN      80

struct front {
	struct loop *loop;
	struct httpd *httpd;
	struct front_config config;
	struct list doors;
	struct list guests; /* accepted, not yet handed over */
	size_t guest_count;
	char address[ADDRESS_LEN];
	char head[HTTP_HEAD_MAX]; /* of whoever is looked at now */
	struct upgrade seen;      /* likewise */
};

/* A listening socket. */
struct door {
	struct list_node node;
	struct front *front;
	struct watch *watch;
	struct timer *pause;
	int fd;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* "" for TCP */
	struct stat file;                                       /* the socket file as we made it */
};

/* A socket whose head is not whole yet. */
struct guest {
	struct list_node node;
	struct front *front;
	struct watch *watch;
	struct timer *timer; /* to the next look, or to the deadline */
	struct mono deadline;
	int64_t next_look_ms;
	int fd;
	struct http_peer peer;
};

/* Lets go of the socket without closing it. Our handles are closed before the new owner makes
 * its own: later, they would take the descriptor out of epoll behind the owner's back. */
static int guest_release(struct guest *guest)
{
	watch_destroy(guest->watch);
	timer_destroy(guest->timer);
	list_remove(&guest->node);
	guest->front->guest_count--;
	loop_free_later(guest->front->loop, guest);
	return guest->fd;
}

static void guest_drop(struct guest *guest)
{
	close(guest_release(guest));
}

/* Has the other side finished sending? Then the head will never be whole. */
static bool has_hung_up(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLRDHUP };

	return poll(&poll_fd, 1, 0) == 1;
}

/* Half a head keeps the socket readable, and nothing is consumed: watching on would spin. So the
 * timer looks again, ever more seldom. */
static void guest_wait(struct guest *guest)
{
	struct mono look = mono_after_ms(loop_now(guest->front->loop), guest->next_look_ms);

	watch_set(guest->watch, 0);
	guest->next_look_ms *= 2;
	if (guest->next_look_ms > PEEK_LAST_MS)
		guest->next_look_ms = PEEK_LAST_MS;
	timer_start_at(guest->timer, look.us < guest->deadline.us ? look : guest->deadline);
}

/* A whole head: to httpd, unless it is a faultless upgrade that somebody wants. */
static void guest_hand_over(struct guest *guest, const char *head, size_t len)
{
	struct front *front = guest->front;
	const struct front_config *config = &front->config;
	struct http_peer peer = guest->peer;
	void *session = NULL;

	front->seen.peer = &peer;
	if (config->upgrade && !httpd_has_tls(front->httpd) &&
	    upgrade_read(&front->seen, head, len) > 0 &&
	    config->upgrade(config->arg, &front->seen, &session))
		ws_take_socket(config->ws, guest_release(guest), session);
	else
		httpd_take_socket(front->httpd, guest_release(guest), &peer);
	secret_wipe(&front->seen, sizeof(front->seen));
}

/* Decides by the bytes that have come so far; they stay in the socket. */
static void guest_judge(struct guest *guest, const char *head, size_t len)
{
	struct httpd *httpd = guest->front->httpd;
	struct http_peer peer = guest->peer;
	int verdict = httpd_has_tls(httpd) ? HTTP_SCREEN_FINE : http_screen(head, len);

	if (verdict == HTTP_SCREEN_FINE)
		guest_hand_over(guest, head, len);
	else if (verdict != HTTP_SCREEN_MORE)
		httpd_refuse_socket(httpd, guest_release(guest), &peer, verdict);
	else if (has_hung_up(guest->fd))
		guest_drop(guest);
	else
		guest_wait(guest);
}

static void guest_look(struct guest *guest)
{
	struct front *front = guest->front;
	ssize_t len = recv(guest->fd, front->head, sizeof(front->head), MSG_PEEK | MSG_DONTWAIT);

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		guest_wait(guest);
	else if (len <= 0)
		guest_drop(guest);
	else
		guest_judge(guest, front->head, (size_t)len);
	if (len > 0)
		secret_wipe(front->head, (size_t)len); /* a token may be in it */
}

static void on_guest_readable(void *arg, unsigned events)
{
	(void)events;
	guest_look(arg);
}

static void on_guest_timer(void *arg)
{
	struct guest *guest = arg;

	if (mono_is_past(guest->deadline, loop_now(guest->front->loop)))
		guest_drop(guest);
	else
		guest_look(guest);
}

static void guest_create(struct front *front, int fd, const struct http_peer *peer)
{
	struct guest *guest = mem_alloc(sizeof(*guest));

	guest->front = front;
	guest->fd = fd;
	guest->peer = *peer;
	guest->next_look_ms = PEEK_FIRST_MS;
	guest->deadline = mono_after_ms(loop_now(front->loop), front->config.head_timeout_ms);
	guest->watch = watch_create(front->loop, fd, on_guest_readable, guest);
	guest->timer = loop_timer_create(front->loop, on_guest_timer, guest);
	watch_set(guest->watch, WATCH_READ);
	timer_start_at(guest->timer, guest->deadline);
	list_push_back(&front->guests, &guest->node);
	front->guest_count++;
}

static bool peer_of_unix(int fd, struct http_peer *peer)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0 || len != sizeof(cred))
		return false;
	peer->is_unix = true;
	peer->uid = cred.uid;
	STR_SET(peer->address, "unix");
	return true;
}

static bool peer_of_tcp(const struct sockaddr_storage *from, socklen_t len, struct http_peer *peer)
{
	return getnameinfo((const struct sockaddr *)from, len, peer->address, sizeof(peer->address),
			   NULL, 0, NI_NUMERICHOST) == 0;
}

static void welcome(struct door *door, int fd, const struct sockaddr_storage *from, socklen_t len)
{
	struct front *front = door->front;
	struct http_peer peer = { 0 };
	bool is_known = door->path[0] ? peer_of_unix(fd, &peer) : peer_of_tcp(from, len, &peer);

	if (is_known && front->guest_count < front->config.undecided_max)
		guest_create(front, fd, &peer);
	else
		close(fd);
}

/* Without descriptors the connection stays in the backlog and the socket stays readable. */
static void door_pause(struct door *door)
{
	LOG(WARN, "front.accept_failed", F_STR("reason", strerror(errno)));
	watch_set(door->watch, 0);
	timer_start(door->pause, ACCEPT_PAUSE_MS);
}

static void on_pause_over(void *arg)
{
	struct door *door = arg;

	watch_set(door->watch, WATCH_READ);
}

static void on_knock(void *arg, unsigned events)
{
	struct door *door = arg;

	(void)events;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct sockaddr_storage from;
		socklen_t len = sizeof(from);
		int fd = accept4(door->fd, (struct sockaddr *)&from, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			welcome(door, fd, &from, len);
		} else if (errno != EINTR && errno != ECONNABORTED) {
			if (errno != EAGAIN)
				door_pause(door);
			return;
		}
	}
}

static struct door *door_create(struct front *front, int fd, const char *path)
{
	struct door *door = mem_alloc(sizeof(*door));

	door->front = front;
	door->fd = fd;
	STR_SET(door->path, path);
	if (*path)
		lstat(path, &door->file);
	door->watch = watch_create(front->loop, fd, on_knock, door);
	door->pause = loop_timer_create(front->loop, on_pause_over, door);
	watch_set(door->watch, WATCH_READ);
	list_push_back(&front->doors, &door->node);
	return door;
}

/* Removes the socket file unless another daemon has put its own there. */
static void remove_socket_file(const struct door *door)
{
	struct stat now;

	if (lstat(door->path, &now) == 0 && now.st_dev == door->file.st_dev &&
	    now.st_ino == door->file.st_ino)
		unlink(door->path);
}

static void door_destroy(struct door *door)
{
	if (door->path[0])
		remove_socket_file(door);
	watch_destroy(door->watch);
	timer_destroy(door->pause);
	close(door->fd);
	list_remove(&door->node);
	loop_free_later(door->front->loop, door);
}

bool front_create(struct loop *loop, struct httpd *httpd, const struct front_config *config,
		  struct front **result, struct err *err)
{
	struct front *front;

	if (config->head_timeout_ms <= 0 || config->undecided_max == 0)
		return err_set(err, ERR_CONFIG, "the front door needs a timeout and some room");
	assert(!config->upgrade || config->ws);
	front = mem_alloc(sizeof(*front));
	front->loop = loop;
	front->httpd = httpd;
	front->config = *config;
	list_init(&front->doors);
	list_init(&front->guests);
	*result = front;
	return true;
}

void front_stop_accepting(struct front *front)
{
	struct list_node *node;

	while ((node = list_first(&front->doors)))
		door_destroy(CONTAINER_OF(node, struct door, node));
}

void front_destroy(struct front *front)
{
	struct list_node *node;

	if (!front)
		return;
	front_stop_accepting(front);
	while ((node = list_first(&front->guests)))
		guest_drop(CONTAINER_OF(node, struct guest, node));
	loop_free_later(front->loop, front);
}

const char *front_address(const struct front *front)
{
	return front->address;
}

/* ---- Listening ---- */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static bool parse_port(const char *text, in_port_t *port)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long number = strtoul(text, NULL, 10);

	*port = htons((in_port_t)number);
	return digits > 0 && digits <= 5 && text[digits] == '\0' && number <= 65535;
}

/* "127.0.0.1:8790" or "[::1]:8790": numbers only, since a name would be looked up on the loop. */
static bool parse_address(const char *text, union address *address)
{
	char host[ADDRESS_LEN];
	char *colon, *bracket;

	memset(address, 0, sizeof(*address));
	if (!STR_SET(host, text) || !(colon = strrchr(host, ':')))
		return false;
	*colon = '\0';
	if (host[0] != '[') {
		address->v4.sin_family = AF_INET;
		return inet_pton(AF_INET, host, &address->v4.sin_addr) == 1 &&
		       parse_port(colon + 1, &address->v4.sin_port);
	}
	bracket = colon - 1;
	if (*bracket != ']')
		return false;
	*bracket = '\0';
	address->v6.sin6_family = AF_INET6;
	return inet_pton(AF_INET6, host + 1, &address->v6.sin6_addr) == 1 &&
	       parse_port(colon + 1, &address->v6.sin6_port);
}

/* The address as bound, with the port that port 0 became. */
static void note_address(struct front *front, int fd)
{
	struct sockaddr_storage bound = { 0 };
	socklen_t len = sizeof(bound);
	char host[INET6_ADDRSTRLEN] = "", port[8] = "";

	getsockname(fd, (struct sockaddr *)&bound, &len);
	getnameinfo((struct sockaddr *)&bound, len, host, sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(front->address, sizeof(front->address),
		 bound.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

bool front_listen_tcp(struct front *front, const char *address, struct err *err)
{
	const int on = 1;
	union address to;
	int fd;

	assert(loop_is_mine(front->loop));
	if (!parse_address(address, &to))
		return err_set(err, ERR_CONFIG,
			       "'%s' is not an address and a port, as in 127.0.0.1:8790", address);
	fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && to.any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(fd, &to.any, to.any.sa_family == AF_INET6 ? sizeof(to.v6) : sizeof(to.v4)) != 0 ||
	    listen(fd, SOMAXCONN) != 0) {
		err_set(err, ERR_IO, "cannot listen on %s: %s", address, strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	note_address(front, fd);
	door_create(front, fd, "");
	return true;
}

/* Nobody behind a socket file refuses; whoever is merely busy does not. */
static bool is_dead_socket(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool is_dead = fd >= 0 &&
		       connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
		       errno == ECONNREFUSED;

	if (fd >= 0)
		close(fd);
	return is_dead;
}

static bool make_room(const struct sockaddr_un *address, struct err *err)
{
	const char *path = address->sun_path;
	struct stat file;

	if (lstat(path, &file) != 0) {
		if (errno == ENOENT)
			return true;
		return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
	}
	if (!S_ISSOCK(file.st_mode))
		return err_set(err, ERR_IO, "%s is there and is not a socket", path);
	if (!is_dead_socket(address))
		return err_set(err, ERR_IO, "%s: another process listens there", path);
	if (unlink(path) != 0 && errno != ENOENT)
		return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
	return true;
}

bool front_listen_unix(struct front *front, const char *path, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t old_mask;
	int fd, status;

	assert(loop_is_mine(front->loop));
	if (*path == '\0' || !STR_SET(address.sun_path, path))
		return err_set(err, ERR_CONFIG, "socket path: 1 to %zu characters, not %zu",
			       sizeof(address.sun_path) - 1, strlen(path));
	if (!make_room(&address, err))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
	/* Never open to others, not even between bind() and a chmod(). */
	old_mask = umask(0177);
	status = bind(fd, (const struct sockaddr *)&address, sizeof(address));
	umask(old_mask);
	if (status != 0 || listen(fd, SOMAXCONN) != 0) {
		err_set(err, ERR_IO, "cannot listen on %s: %s", path, strerror(errno));
		close(fd);
		return false;
	}
	door_create(front, fd, path);
	return true;
}
