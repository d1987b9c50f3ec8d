/** Which attempt of which hostile program belongs to which line of the threat list: a failure names both. */
export type ProgramFile = "escape_files.py" | "escape_kernel.py" | "network.py";

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

export const LINES: Readonly<Record<ProgramFile, Readonly<Record<string, readonly string[]>>>> = {
  "escape_files.py": {
    "the host's files": words(`read_home_folder read_project_folder read_other_job read_run_folder read_host_tmp
      read_etc_shadow list_root_home list_home find_canary_by_walking working_folder_leads_out`),
    "/proc/<host pid>": words(`proc_host_pid_environ proc_host_pid_root proc_any_environ proc_1_root_is_the_host
      signal_host_process write_runtime_binary`),
    "/proc/sys, /proc and /sys": words(`open_proc_kcore open_proc_kmsg open_proc_keys open_proc_timer_list
      open_proc_sysrq_trigger write_proc_sys_hostname write_proc_sys_core_pattern write_proc_sys_modprobe
      write_proc_sys_overcommit write_proc_irq write_sys_uevent_helper write_sys_hugepages read_sys_firmware
      read_sys_vmcoreinfo cgroup_write oom_score_lower lower_priority_number`),
    "inherited file descriptors": ["inherited_descriptors", "signal_the_peer_of_stdout"],
    "environment variables and tokens of the host": ["own_environment_has_canary", "proc_1_environ_has_canary"],
    "abstract and path Unix sockets, the container engine's socket": words(`unix_socket_by_path unix_socket_abstract
      container_engine_socket`),
    "setuid programs": ["run_setuid_program", "chown_to_root"],
    "device nodes": words(`dev_mem dev_kmsg dev_kvm dev_fuse dev_tun dev_loop dev_userfaultfd dev_root_disk dev_sda
      dev_vsock dev_console dev_port dev_tty dev_tty0 any_block_device any_unexpected_device mknod_block_device
      mknod_char_device`),
    "writes anywhere but its own scratch space": words(`create_in_root create_in_usr create_in_usr_bin create_in_bin
      create_in_lib create_in_etc create_in_var create_in_var_tmp create_in_run create_in_home create_in_root_home
      create_in_dev create_in_dev_mqueue create_in_proc create_in_sys create_in_opt create_in_mnt create_in_agent
      create_in_mount create_in_any_folder overwrite_interpreter overwrite_passwd overwrite_hosts overwrite_libc
      overwrite_program touch_shared_file chmod_shared_file xattr_shared_file`),
  },
  "escape_kernel.py": {
    ptrace: words(`ptrace_attach_child ptrace_seize_child ptrace_traceme ptrace_attach_first_process`),
    "process_vm_readv and its like": words(`process_vm_readv process_vm_writev pidfd_getfd process_madvise kcmp
      move_pages_of_child see_processes_outside`),
    "nested user namespaces": words(`unshare_user unshare_mount unshare_net unshare_pid unshare_ipc unshare_uts
      unshare_cgroup unshare_user_and_net clone_user_namespace clone3_user_namespace setns_into_own_namespace`),
    "mount, pivot_root": words(`mount_tmpfs mount_bind mount_remount_writable mount_proc umount_a_mask umount_proc
      pivot_root chroot chroot_escape fsopen open_tree move_mount fspick mount_setattr open_by_handle
      open_by_handle_guessed`),
    bpf: ["bpf_map_create", "bpf_prog_load"],
    perf_event_open: ["perf_event_open"],
    userfaultfd: ["userfaultfd", "userfaultfd_user_mode_only"],
    io_uring: ["io_uring_setup"],
    "keyctl, keyrings": words(`keyctl_get_keyring keyctl_join_session add_key request_key`),
    "kexec and the kernel's other doors": words(`kexec_load kexec_file_load init_module finit_module delete_module
      reboot swapon acct clock_settime settimeofday clock_adjtime sethostname setdomainname kernel_log quotactl iopl
      ioperm modify_ldt vhangup uselib lookup_dcookie memfd_secret personality_read_implies_exec
      personality_no_randomisation`),
    "inotify and fanotify": ["fanotify_init", "fanotify_init_unprivileged"],
    "32-bit system calls": words(`syscall_32_bit syscall_32_bit_forbidden syscall_x32 syscall_x32_forbidden
      syscall_unknown`),
    TIOCSTI: words(`push_into_own_terminal push_into_stdin push_into_stdout push_into_stderr push_through_tioclinux`),
    "no privileges, and none to be had": words(`become_another_user become_root change_groups run_as_root
      capabilities_permitted capabilities_effective capabilities_bounding capabilities_inheritable
      capabilities_ambient new_privileges_possible drop_no_new_privs raise_ambient_capability real_time_priority
      io_real_time_priority raise_open_files raise_locked_memory raise_message_queues raise_core_size dump_core`),
  },
  "network.py": {
    TCP: words(`tcp_outside tcp_outside_6 tcp_fast_open tcp_gateway`),
    UDP: words(`udp_outside udp_broadcast udp_multicast`),
    ICMP: ["icmp_datagram", "icmp_raw"],
    "raw and packet sockets": ["raw_ip", "packet_socket"],
    "vsock and other families": words(`vsock family_vsock family_alg family_bluetooth family_can family_tipc family_xdp
      family_rds family_key family_appletalk family_ax25 family_smc family_qipcrtr family_nfc family_pppox
      netlink_netfilter netlink_audit netlink_kobject_uevent interface_beside_loopback bring_interface_up`),
    DNS: ["dns_by_resolver", "dns_by_hand"],
    "the host's loopback services": words(`tcp_host_loopback tcp_host_wildcard tcp_host_loopback_6 tcp_host_mapped_6
      tcp_host_address udp_host_loopback udp_host_address unix_socket_abstract_stream seen_network_of_the_host`),
    "a cloud's metadata address": ["tcp_metadata_address", "tcp_metadata_address_6"],
  },
};

/** Attempts that show only that their program works: they succeed everywhere. */
export const CONTROLS: readonly string[] = ["create_in_scratch"];

/** Results that mean a wall stood there, whatever was tried. EINVAL, EFAULT and EBADF could as well mean a bad try. */
export const REFUSALS: readonly string[] = words(`absent EPERM EACCES ENOENT ENOSYS EROFS EAFNOSUPPORT EPROTONOSUPPORT
  ECONNREFUSED ENETUNREACH EHOSTUNREACH ENXIO EIO ENODEV ENOTTY ENOTSUP ESRCH ENOLCK SIGSYS`);

/** Other results that are right for one attempt, and why. */
export const ALSO_REFUSED: Readonly<Record<string, readonly string[]>> = {
  // The kernel's way to say that the bit cannot be taken back.
  drop_no_new_privs: ["EINVAL"],
  // A datagram to a loopback of one's own where nobody listens: no answer comes.
  udp_host_loopback: ["timeout"],
  udp_host_address: ["timeout"],
  // A socket without that option, or a pipe; or a process of another pid namespace.
  signal_the_peer_of_stdout: ["ENOTSOCK", "ENOPROTOOPT", "EINVAL", "ENODATA"],
  // gVisor has no F_NOTIFY.
  dnotify: ["EINVAL"],
  // gVisor connects at the first write, which then fails.
  tcp_fast_open: ["EPIPE"],
};

/**
 * What gVisor's own kernel, which is a program in the sandbox, lets succeed: it concerns that kernel's objects, none of
 * the host's. Every entry stands in docs/threats.md.
 */
export const GVISOR_EMULATES: Readonly<Record<string, string>> = {
  ptrace_attach_child: "gVisor's own ptrace, over the sandbox's own processes",
  ptrace_seize_child: "gVisor's own ptrace, over the sandbox's own processes",
  ptrace_traceme: "gVisor's own ptrace, over the sandbox's own processes",
  unshare_user: "a user namespace inside gVisor's kernel; its capabilities open nothing of the host's",
  unshare_mount: "a mount namespace inside gVisor's kernel",
  unshare_cgroup: "a cgroup namespace inside gVisor's kernel",
  unshare_user_and_net: "namespaces inside gVisor's kernel",
  clone_user_namespace: "a user namespace inside gVisor's kernel",
  io_uring_setup: "gVisor's own io_uring, served by its own system calls",
  kernel_log: "gVisor's invented kernel log",
  personality_read_implies_exec: "refused, as EINVAL",
  personality_no_randomisation: "refused, as EINVAL",
  syscall_32_bit: "int 0x80 is taken for a 64-bit call to gVisor's kernel, and fails as such",
  real_time_priority: "refused, as EINVAL",
  oom_score_lower: "gVisor keeps the number and does nothing with it",
  lower_priority_number: "gVisor's own scheduling figures",
  dev_fuse: "gVisor's own FUSE; mounting is refused",
  dev_tun: "gVisor's own device, of a network that leads nowhere",
  any_unexpected_device: "/dev/fuse and /dev/net/tun of gVisor's own",
  netlink_kobject_uevent: "gVisor's own, always silent",
};
