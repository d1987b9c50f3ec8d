"""Tries to reach anything at all beyond the sandbox.

Configuration: `tcp`, `udp` ({port} of the host's 127.0.0.1 services), `tcp6`, `addresses` (the host's own, beside
loopback), `sockets`. Outside addresses are tried only inside a sandbox, never bare.
"""
import errno
import fcntl
import socket
import struct

from attempts import Absent, attempt, config, main

WAIT = 1.5


def connect(family, address):
    client = socket.socket(family, socket.SOCK_STREAM)
    client.settimeout(WAIT)
    client.connect(address)
    return client.getpeername()


def send(family, address, data=b"lanista"):
    client = socket.socket(family, socket.SOCK_DGRAM)
    client.settimeout(WAIT)
    client.sendto(data, address)
    return client.recvfrom(512)


@attempt(bare=True)
def tcp_host_loopback():
    return connect(socket.AF_INET, ("127.0.0.1", config["tcp"]))


@attempt(bare=True)
def tcp_host_wildcard():
    """0.0.0.0 as a destination means this host."""
    return connect(socket.AF_INET, ("0.0.0.0", config["tcp"]))


@attempt()
def tcp_host_loopback_6():
    return connect(socket.AF_INET6, ("::1", config["tcp"]))


@attempt()
def tcp_host_mapped_6():
    return connect(socket.AF_INET6, ("::ffff:127.0.0.1", config["tcp"]))


@attempt(bare=True)
def tcp_host_address():
    if not config["addresses"]:
        raise OSError(errno.ENETUNREACH, "the host has no address but loopback")
    return connect(socket.AF_INET, (config["addresses"][0], config["tcp"]))


@attempt(bare=True)
def udp_host_loopback():
    """Success is an answer: a datagram that nobody gets is sent without an error."""
    return send(socket.AF_INET, ("127.0.0.1", config["udp"]))


@attempt(bare=True)
def udp_host_address():
    if not config["addresses"]:
        raise OSError(errno.ENETUNREACH, "the host has no address but loopback")
    return send(socket.AF_INET, (config["addresses"][0], config["udp"]))


@attempt()
def tcp_outside():
    return connect(socket.AF_INET, ("192.0.2.1", 80))


@attempt()
def tcp_outside_6():
    return connect(socket.AF_INET6, ("2001:db8::1", 80))


@attempt()
def tcp_fast_open():
    """MSG_FASTOPEN connects without calling connect."""
    client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    client.settimeout(WAIT)
    return client.sendto(b"x", 0x20000000, ("127.0.0.1", config["tcp"]))


@attempt()
def tcp_metadata_address():
    return connect(socket.AF_INET, ("169.254.169.254", 80))


@attempt()
def tcp_metadata_address_6():
    return connect(socket.AF_INET6, ("fd00:ec2::254", 80))


@attempt()
def tcp_gateway():
    with open("/proc/net/route") as file:
        for line in list(file)[1:]:
            fields = line.split()
            if fields[1] == "00000000":
                return connect(socket.AF_INET, (socket.inet_ntoa(struct.pack("<I", int(fields[2], 16))), 80))
    raise Absent("no default route")


@attempt()
def udp_outside():
    return send(socket.AF_INET, ("192.0.2.1", 9))


@attempt()
def udp_broadcast():
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(WAIT)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    client.sendto(b"x", ("255.255.255.255", 9))
    return client.recvfrom(512)


@attempt()
def udp_multicast():
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(WAIT)
    client.sendto(b"x", ("224.0.0.251", 5353))
    return client.recvfrom(512)


@attempt()
def dns_by_resolver():
    try:
        return socket.getaddrinfo("example.com", 80)
    except socket.gaierror as error:
        raise Absent(f"no name was resolved: {error}")


QUESTION = b"\x12\x34\x01\x00\x00\x01\0\0\0\0\0\0\x07example\x03com\0\x00\x01\x00\x01"


@attempt()
def dns_by_hand():
    servers = ["127.0.0.53", "8.8.8.8"]
    try:
        with open("/etc/resolv.conf") as file:
            servers += [line.split()[1] for line in file if line.startswith("nameserver")]
    except OSError:
        pass
    last = None
    for server in servers:
        try:
            return send(socket.AF_INET, (server, 53), QUESTION)
        except OSError as error:
            last = error
    raise last


@attempt()
def icmp_datagram():
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
    client.settimeout(WAIT)
    client.sendto(struct.pack("!BBHHH", 8, 0, 0xF7FD, 1, 1),
                  ((config["addresses"] or ["192.0.2.1"])[0], 0))
    return client.recvfrom(512)


@attempt(bare=True)
def icmp_raw():
    client = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    client.settimeout(WAIT)
    client.sendto(struct.pack("!BBHHH", 8, 0, 0xF7FD, 1, 1), ("127.0.0.1", 0))
    return client.recvfrom(512)


@attempt(bare=True)
def raw_ip():
    return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)


@attempt(bare=True)
def packet_socket():
    return socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))


@attempt()
def vsock():
    """To the hypervisor's side of a virtual machine (context 2)."""
    client = socket.socket(40, socket.SOCK_STREAM)
    client.settimeout(WAIT)
    return client.connect((2, 1024))


def family(name, number, kind=socket.SOCK_DGRAM, protocol=0, bare=False):
    def function():
        return socket.socket(number, kind, protocol)

    function.__name__ = name
    attempt(bare=bare)(function)


family("family_vsock", 40, socket.SOCK_STREAM)
family("family_alg", 38, socket.SOCK_SEQPACKET)
family("family_bluetooth", 31, socket.SOCK_RAW, 1)
family("family_can", 29, socket.SOCK_RAW, 1)
family("family_tipc", 30)
family("family_xdp", 44, socket.SOCK_RAW)
family("family_rds", 21, socket.SOCK_SEQPACKET)
family("family_key", 15, socket.SOCK_RAW, 2)
family("family_appletalk", 5)
family("family_ax25", 3, socket.SOCK_SEQPACKET)
family("family_smc", 43, socket.SOCK_STREAM)
family("family_qipcrtr", 42)
family("family_nfc", 39, socket.SOCK_SEQPACKET)
family("family_pppox", 24)
family("netlink_netfilter", 16, socket.SOCK_RAW, 12)
family("netlink_audit", 16, socket.SOCK_RAW, 9)
family("netlink_kobject_uevent", 16, socket.SOCK_RAW, 15)


@attempt(bare=True)
def interface_beside_loopback():
    try:
        names = [name for _, name in socket.if_nameindex() if name != "lo"]
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES, errno.EAFNOSUPPORT, errno.ENOSYS):
            raise Absent(f"interfaces cannot be listed: {error}")
        raise
    # A new network namespace holds the tunnels' fallback devices, which lead nowhere while they are down.
    control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    up = []
    for name in names:
        flags = fcntl.ioctl(control, 0x8913, struct.pack("16sh14x", name.encode(), 0))
        if struct.unpack("16sh14x", flags)[1] & 1:
            up.append(name)
    if not up:
        raise Absent(f"none is up of {names}")
    return up


@attempt()
def bring_interface_up():
    control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    return fcntl.ioctl(control, 0x8914, struct.pack("16sh14x", b"lo", 0))


@attempt(bare=True)
def unix_socket_abstract_stream():
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.connect("\0" + config["sockets"]["abstract"])


@attempt()
def seen_network_of_the_host():
    """The host's listening port in the kernel's table."""
    for path in ("/proc/net/tcp", "/proc/1/net/tcp"):
        try:
            with open(path) as file:
                if f":{config['tcp']:04X} " in file.read():
                    return path
        except OSError:
            continue
    raise Absent("not seen")


if __name__ == "__main__":
    main()
