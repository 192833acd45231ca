//! Compiles the schema without `protoc`: protox parses, tonic-prost-build generates. Each program
//! builds only its half of the services.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = ["parc/v1/inventory.proto", "parc/v1/enrollment.proto", "parc/v1/fleet.proto"];
    for file in files {
        println!("cargo:rerun-if-changed={file}");
    }
    let descriptors = protox::compile(files, ["."])?;
    let feature = |name: &str| std::env::var_os(format!("CARGO_FEATURE_{name}")).is_some();
    tonic_prost_build::configure()
        .build_client(feature("CLIENT"))
        .build_server(feature("SERVER"))
        .build_transport(feature("CLIENT"))
        .compile_fds(descriptors)?;
    Ok(())
}
