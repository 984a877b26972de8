"""Certificates and their keys as files."""


def write_pair(authority, folder, name):
    """Writes a certificate for localhost and its key."""
    pair = authority.issue_cert("localhost")
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    key.write_bytes(pair.private_key_pem.bytes())
    certificate.write_bytes(b"".join(each.bytes() for each in pair.cert_chain_pems))
    return certificate, key


def write_ca(authority, path):
    authority.cert_pem.write_to_path(path)
    return path
