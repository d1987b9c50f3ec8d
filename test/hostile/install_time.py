"""What a package tries while it is installed: attempts(settings) says what each try came to."""


def attempts(settings):
    import glob
    import os
    import socket

    report = {}

    def attempt(name, do):
        try:
            report[name] = "did: " + str(do())[:2000]
        except Exception as error:
            report[name] = "failed: %s %s" % (type(error).__name__, error)

    def read(path):
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "replace")

    def environments():
        found = ""
        for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
            try:
                found += read(path)
            except OSError:
                pass
        return settings["secret"] in found or "it is not there"

    def connect(host, port):
        with socket.create_connection((host, port), 3) as peer:
            return peer.getpeername()

    def listeners():
        lines = read("/proc/net/tcp").splitlines()[1:]
        return [int(line.split()[1].split(":")[1], 16) for line in lines if line.split()[3] == "0A"]

    def ask(path):
        answers = []
        for port in listeners():
            with socket.create_connection(("127.0.0.1", port), 3) as peer:
                peer.sendall(("GET %s HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n" % path).encode())
                answers.append(peer.recv(4096).decode("latin-1").split("\r\n")[0])
        return answers

    def write(path):
        with open(path, "w") as file:
            file.write("was here")
        return path

    def datagram():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            return peer.sendto(b"x", ("127.0.0.1", settings["port"]))

    attempt("ran", lambda: "yes")
    attempt("environments", environments)
    attempt("secret_file", lambda: read(settings["file"]))
    attempt("written", lambda: write(settings["folder"] + "/written"))
    attempt("host_service", lambda: connect("127.0.0.1", settings["port"]))
    attempt("host_address", lambda: connect(settings["address"], settings["port"]))
    attempt("name", lambda: socket.getaddrinfo("localhost.example.org", 80))
    attempt("datagram", datagram)
    # Outside of a box these would harm the host, and ask whoever listens there.
    if settings["boxed"]:
        attempt("written_packages", lambda: write("/packages/written"))
        attempt("written_python", lambda: write(os.path.dirname(os.__file__) + "/written.py"))
    for path in settings["paths"]:
        attempt("ask " + path, lambda: ask(path))
    return report
